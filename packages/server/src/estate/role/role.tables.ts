import type { Role } from '@bascule/domain/estate/role.ts'
import type { OrgUnitId, PersonId, RoleGrantId, SiteId } from '@bascule/domain/lib/ids.ts'

interface RoleGrantTable {
  id: RoleGrantId
  person_id: PersonId
  role: Role
  org_unit_id: OrgUnitId | null
  site_id: SiteId | null
  granted_at: Temporal.Instant
  granted_by: string
  revoked_at: Temporal.Instant | null
}

declare module '#/platform/db/database.ts' {
  interface Database {
    role_grant: RoleGrantTable
  }
}
