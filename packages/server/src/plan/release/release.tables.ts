import type { releaseStates } from '@bascule/contract/plan/release.ts'
import type { ColumnType, Generated } from 'kysely'

type At = ColumnType<Temporal.Instant, string, string>

export interface ReleaseTable {
  id: Generated<string>
  title: string
  version: string
  product_line: string
  objective: Generated<string>
  state: (typeof releaseStates)[number]
  state_since: At
  plan: ColumnType<unknown, string, string>
  owner_id: string
  owner_name: string
  counter: number | null
  manifest_sha256: string | null
  manifest_size_bytes: number | null
  created_at: At
  updated_at: At
}

declare module '#/platform/db/database.ts' {
  interface Database {
    release: ReleaseTable
  }
}
