import type { ColumnType, Generated } from 'kysely'

interface LedgerTable {
  id: Generated<number>
  at: Temporal.Instant
  actor_kind: 'person' | 'machine' | 'device' | 'system'
  actor_id: string
  actor_name: string
  did: string
  subject_kind: string
  subject_id: string
  release_id: string | null
  before: ColumnType<unknown, string | null, never>
  after: ColumnType<unknown, string | null, never>
}

interface LedgerSealTable {
  id: number
  sealed_at: Temporal.Instant
  row_ids: number[]
  leaves: Buffer
  root: Buffer
  previous: Buffer
  seal: Buffer
}

declare module '#/platform/db/database.ts' {
  interface Database {
    ledger: LedgerTable
    ledger_seal: LedgerSealTable
    ledger_unsealed: { ledger_id: number }
  }
}
