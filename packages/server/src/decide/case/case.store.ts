import type { CaseKind, CaseState } from '@bascule/domain/decide/case.ts'
import { caseMoves } from '@bascule/domain/decide/case.ts'
import type { CaseId, ReleaseId } from '@bascule/domain/lib/ids.ts'
import { assert } from '@bascule/domain/lib/result.ts'
import type { RoleDecision } from '@bascule/trust/tuf/draft.ts'
import { type Insertable, type Selectable, sql } from 'kysely'
import type { Db } from '#/platform/db/database.ts'
import type { AskedFor, CaseStatementTable, CaseTable } from './case.tables.ts'

/** Wakes a case: a deferral on its day, an emergency when it lapses. */
export const caseTimer = 'case'

export type CaseRecord = Selectable<CaseTable>
export type StatementRecord = Selectable<CaseStatementTable>

/**
 * Decisions are few and each may touch the queue of several roles, so they are written one after the other. Until the
 * transaction ends nobody else decides anything.
 */
export async function lockDecisions(tx: Db): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('bascule decisions'))`.execute(tx)
}

export async function findCase(db: Db, id: CaseId): Promise<CaseRecord | undefined> {
  return await db.selectFrom('decision_case').selectAll().where('id', '=', id).executeTakeFirst()
}

export async function lockCase(tx: Db, id: CaseId): Promise<CaseRecord | undefined> {
  return await tx.selectFrom('decision_case').selectAll().where('id', '=', id).forUpdate().executeTakeFirst()
}

export interface CaseFilter {
  readonly states?: readonly CaseState[] | undefined
  readonly releaseId?: ReleaseId | undefined
  readonly kinds?: readonly CaseKind[] | undefined
  readonly board?: string | undefined
  readonly limit?: number | undefined
}

/** Newest first. */
export async function findCases(db: Db, filter: CaseFilter): Promise<CaseRecord[]> {
  let query = db
    .selectFrom('decision_case')
    .selectAll()
    .orderBy('asked_at', 'desc')
    .orderBy('id', 'desc')
    .limit(filter.limit ?? 200)
  if (filter.states) query = query.where('state', 'in', filter.states)
  if (filter.kinds) query = query.where('kind', 'in', filter.kinds)
  if (filter.releaseId) query = query.where('release_id', '=', filter.releaseId)
  if (filter.board !== undefined) query = query.where('board', '=', filter.board)
  return await query.execute()
}

export async function insertCase(tx: Db, row: Insertable<CaseTable>): Promise<CaseRecord> {
  return await tx.insertInto('decision_case').values(row).returningAll().executeTakeFirstOrThrow()
}

export interface CaseChange {
  readonly decision?: RoleDecision
  readonly askedFor?: AskedFor
  readonly deferredUntil?: Temporal.PlainDate | null
  readonly decidedAt?: Temporal.Instant
}

/** Moves a case along its machine. The caller has looked before whether it may; here it cannot go astray. */
export async function moveCase(
  tx: Db,
  { id, state: from }: Pick<CaseRecord, 'id' | 'state'>,
  to: CaseState,
  now: Temporal.Instant,
  change: CaseChange = {},
): Promise<void> {
  assert((caseMoves[from] as readonly CaseState[]).includes(to), `the case ${id} may become ${to} from ${from}`)
  await changeCase(tx, id, change, { state: to, state_since: now.toString() })
}

export async function changeCase(
  tx: Db,
  id: CaseId,
  { decision, askedFor, deferredUntil, decidedAt }: CaseChange,
  state: { readonly state?: CaseState; readonly state_since?: string } = {},
): Promise<void> {
  await tx
    .updateTable('decision_case')
    .set({
      id,
      ...state,
      ...(decision ? { decision: JSON.stringify(decision) } : {}),
      ...(askedFor ? { asked_for: JSON.stringify(askedFor) } : {}),
      ...(deferredUntil === undefined ? {} : { deferred_until: deferredUntil?.toString() ?? null }),
      ...(decidedAt ? { decided_at: decidedAt.toString() } : {}),
    })
    .where('id', '=', id)
    .execute()
}

export async function findStatements(db: Db, caseIds: readonly CaseId[]): Promise<StatementRecord[]> {
  if (caseIds.length === 0) return []
  return await db.selectFrom('case_statement').selectAll().where('case_id', 'in', caseIds).orderBy('at').execute()
}

export async function insertStatement(tx: Db, row: Insertable<CaseStatementTable>): Promise<void> {
  await tx.insertInto('case_statement').values(row).execute()
}
