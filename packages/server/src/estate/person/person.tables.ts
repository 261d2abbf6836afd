import type { OrgUnitId, PersonId, SiteId } from '@bascule/domain/lib/ids.ts'
import type { Generated } from 'kysely'

interface PersonTable {
  id: PersonId
  name: string
  email: string
  org_unit_id: OrgUnitId | null
  site_id: SiteId | null
  job_role: string | null
  language: Generated<string>
  time_zone: string | null
  version: Generated<number>
  created_at: Temporal.Instant
  retired_at: Temporal.Instant | null
}

declare module '#/platform/db/database.ts' {
  interface Database {
    person: PersonTable
  }
}
