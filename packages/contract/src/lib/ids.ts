import type {
  AbsenceId,
  ApiKeyId,
  AudienceId,
  BaselineId,
  CaseId,
  ConfigurationItemId,
  DeviceId,
  EnrolmentTokenId,
  OrgUnitId,
  PersonId,
  ProductLineId,
  ReleaseId,
  RoleGrantId,
  SavedViewId,
  ServiceId,
  SiteId,
} from '@bascule/domain/lib/ids.ts'
import * as z from 'zod'

/** The only place where a string becomes an id. On the wire an id is a lower-case UUID unless it says otherwise. */
function idOf<Id extends string>(): z.ZodType<Id, string> {
  return z.uuid('is not an id').toLowerCase() as unknown as z.ZodType<Id, string>
}

export const personId = idOf<PersonId>()
export const orgUnitId = idOf<OrgUnitId>()
export const siteId = idOf<SiteId>()
export const absenceId = idOf<AbsenceId>()
export const roleGrantId = idOf<RoleGrantId>()
export const apiKeyId = idOf<ApiKeyId>()
/** A device is named by its key, on the wire as in signed documents. */
export const deviceId = z.string().regex(/^[0-9a-f]{64}$/, 'is not the key id of a device') as unknown as z.ZodType<
  DeviceId,
  string
>
/** A release is spoken of, so its id is a short word: REL-0001. */
export const releaseId = z
  .string()
  .regex(/^REL-[0-9]{4,9}$/, 'is not a release id, for example REL-0001') as unknown as z.ZodType<ReleaseId, string>
/** A case is spoken of in a meeting, so its id is a short word too: CASE-0001. */
export const caseId = z
  .string()
  .regex(/^CASE-[0-9]{4,9}$/, 'is not a case id, for example CASE-0001') as unknown as z.ZodType<CaseId, string>
export const productLineId = idOf<ProductLineId>()
export const configurationItemId = idOf<ConfigurationItemId>()
export const audienceId = idOf<AudienceId>()
export const enrolmentTokenId = idOf<EnrolmentTokenId>()
export const serviceId = idOf<ServiceId>()
export const savedViewId = idOf<SavedViewId>()
export const baselineId = idOf<BaselineId>()
