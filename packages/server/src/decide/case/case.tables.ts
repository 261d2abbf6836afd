import type { CaseKind, CaseState } from '@bascule/domain/decide/case.ts'
import type { CaseId, ReleaseId } from '@bascule/domain/lib/ids.ts'
import type { RoleDecision } from '@bascule/trust/tuf/draft.ts'
import type { ColumnType, Generated } from 'kysely'
import type { FrozenRelease } from '#/plan/release/freeze-release.ts'

/** A release as it was when its board was asked: what every page about the case shows, whatever the plan does later. */
export interface AskedFor extends FrozenRelease {
  readonly title: string
  readonly version: string
  readonly productLine: string
  readonly autoBackout: boolean
  readonly mayRemove: boolean
  /** Whether the way back is signed together with the Go. */
  readonly backOut: 'pre-authorised' | 'signed'
  readonly isDynamic: boolean
}

type At = ColumnType<Temporal.Instant, string, string>
type Json<T> = ColumnType<T, string, string>

export interface CaseTable {
  id: Generated<CaseId>
  release_id: ReleaseId
  kind: CaseKind
  state: CaseState
  state_since: At
  board: string
  role: string
  path: string
  decision: Json<RoleDecision>
  asked_for: Json<AskedFor>
  reason: string | null
  deferred_until: ColumnType<Temporal.PlainDate | null, string | null, string | null>
  asked_by_id: string
  asked_by: string
  asked_at: At
  decided_at: ColumnType<Temporal.Instant | null, string | null, string | null>
}

export interface CaseStatementTable {
  case_id: CaseId
  key_id: string
  kind: 'no-go' | 'defer'
  document: Json<unknown>
  by_name: string
  at: At
}

declare module '#/platform/db/database.ts' {
  interface Database {
    decision_case: CaseTable
    case_statement: CaseStatementTable
  }
}
