import type {
  AbsenceId,
  ApiKeyId,
  ConfigurationItemId,
  DeviceId,
  JobId,
  OrgUnitId,
  PackageId,
  PersonId,
  PhaseId,
  ProductLineId,
  ReleaseId,
  RoleGrantId,
  RolloutId,
  SiteId,
} from '@bascule/domain/lib/ids.ts'
import * as z from 'zod'

/** The only place where a string becomes an id. On the wire every id is a lower-case UUID. */
function idOf<Id extends string>(): z.ZodType<Id, string> {
  return z.uuid('is not an id').toLowerCase() as unknown as z.ZodType<Id, string>
}

export const personId = idOf<PersonId>()
export const orgUnitId = idOf<OrgUnitId>()
export const siteId = idOf<SiteId>()
export const absenceId = idOf<AbsenceId>()
export const roleGrantId = idOf<RoleGrantId>()
export const apiKeyId = idOf<ApiKeyId>()
export const deviceId = idOf<DeviceId>()
export const releaseId = idOf<ReleaseId>()
export const rolloutId = idOf<RolloutId>()
export const phaseId = idOf<PhaseId>()
export const jobId = idOf<JobId>()
export const packageId = idOf<PackageId>()
export const productLineId = idOf<ProductLineId>()
export const configurationItemId = idOf<ConfigurationItemId>()
