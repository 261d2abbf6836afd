import type { releaseStates } from '@bascule/contract/plan/release.ts'
import type { ColumnType, Generated } from 'kysely'
import type { FrozenPhase, PinnedPackage } from './manifest.ts'

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
  /** The phase of each fleet index, as it was frozen. */
  members: Buffer | null
  frozen_phases: ColumnType<readonly FrozenPhase[] | null, string | null, string | null>
  packages_pinned: ColumnType<readonly PinnedPackage[] | null, string | null, string | null>
  audience: number | null
  created_at: At
  updated_at: At
}

declare module '#/platform/db/database.ts' {
  interface Database {
    release: ReleaseTable
  }
}
