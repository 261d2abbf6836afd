import { isOpen, jobStates, needsReturn, type JobAction, type JobState } from '@bascule/domain/deliver/job.ts'
import type { JobCount, PhaseLimits, PhaseState } from '@bascule/domain/deliver/phase.ts'
import { phasePath, rolloutPath } from '@bascule/domain/deliver/moves.ts'
import type { RolloutState } from '@bascule/domain/deliver/rollout.ts'
import { assert } from '@bascule/domain/lib/result.ts'
import { sql, type Selectable } from 'kysely'
import type { Db } from '#/platform/db/database.ts'
import type { PhaseTable, RolloutTable } from './rollout.tables.ts'

export type PhaseRow = Selectable<PhaseTable>
export type RolloutRow = Omit<Selectable<RolloutTable>, 'members'>

const rolloutColumns = [
  'id',
  'release_id',
  'path',
  'state',
  'state_since',
  'rev',
  'audience_mode',
  'audience_query',
  'pause_reason',
  'paused_by',
  'paused_at',
  'started_at',
  'finished_at',
] as const

export interface ObservedRollout {
  readonly rollout: RolloutRow
  readonly phases: readonly PhaseRow[]
  /** Counters by phase order. */
  readonly counts: ReadonlyMap<number, readonly JobCount[]>
}

/** The rollout with its phases and counters: as many rows as phases and states, never as many as devices. */
export async function observeRollout(db: Db, rolloutId: number): Promise<ObservedRollout | undefined> {
  const rollout = await db.selectFrom('rollout').select(rolloutColumns).where('id', '=', rolloutId).executeTakeFirst()
  if (!rollout) return undefined
  const phases = await db.selectFrom('phase').selectAll().where('rollout_id', '=', rolloutId).orderBy('ord').execute()
  return { rollout, phases, counts: await countsOf(db, rolloutId) }
}

export async function countsOf(db: Db, rolloutId: number): Promise<Map<number, JobCount[]>> {
  const rows = await db.selectFrom('phase_count').selectAll().where('rollout_id', '=', rolloutId).execute()
  const counts = new Map<number, JobCount[]>()
  for (const { ord, action, state, devices } of rows) {
    if (!counts.has(ord)) counts.set(ord, [])
    counts.get(ord)?.push({ action, state, devices })
  }
  return counts
}

export async function findRolloutOf(db: Db, releaseId: string): Promise<RolloutRow | undefined> {
  return await db.selectFrom('rollout').select(rolloutColumns).where('release_id', '=', releaseId).executeTakeFirst()
}

/**
 * Locks the rollout, so that two people or a person and the reconciler never decide on the same facts at once. Devices
 * may still get jobs meanwhile: a job's reference to its rollout must not wait, because its phase is locked already.
 */
export async function lockRolloutOf(tx: Db, releaseId: string): Promise<RolloutRow | undefined> {
  return await tx
    .selectFrom('rollout')
    .select(rolloutColumns)
    .where('release_id', '=', releaseId)
    .forNoKeyUpdate()
    .executeTakeFirst()
}

export async function membersOf(db: Db, rolloutId: number): Promise<Uint8Array> {
  const row = await db.selectFrom('rollout').select('members').where('id', '=', rolloutId).executeTakeFirstOrThrow()
  return row.members
}

/** What a device of a rollout that went back may be found in when it has the release, or may have it. */
const mayHaveIt = jobStates.filter((state) => needsReturn(state) || isOpen(state))

/**
 * Rollouts, or this one, that may still ask something of a device. One that was taken back is among them as long as a
 * device was excused from it or left behind: it may come home with the release and is still turned around then.
 */
export async function activeRolloutIds(db: Db, only?: number): Promise<number[]> {
  let query = db
    .selectFrom('rollout')
    .select('id')
    .where((eb) =>
      eb.or([
        eb('state', 'in', ['running', 'paused', 'backing-out', 'completed', 'completed-with-residual']),
        eb.and([
          eb('state', '=', 'backed-out'),
          eb.exists(
            eb
              .selectFrom('phase_count')
              .select('phase_count.devices')
              .whereRef('phase_count.rollout_id', '=', 'rollout.id')
              .where('phase_count.action', '=', 'install')
              .where('phase_count.state', 'in', mayHaveIt)
              .where('phase_count.devices', '>', 0),
          ),
        ]),
      ]),
    )
  if (only !== undefined) query = query.where('id', '=', only)
  const rows = await query.orderBy('id').execute()
  return rows.map((row) => row.id)
}

export interface RolloutChange {
  readonly state: RolloutState
  readonly pause?: { readonly reason: string | null; readonly by: string; readonly at: string } | null
  readonly finishedAt?: string | null
}

/** Writes the rollout if nobody has since `rev`; false means somebody was faster and the caller looks again. */
export async function changeRollout(
  tx: Db,
  { id, rev, state }: Pick<RolloutRow, 'id' | 'rev' | 'state'>,
  change: RolloutChange,
  now: string,
): Promise<boolean> {
  const isMove = change.state !== state
  assert(!isMove || rolloutPath(state, change.state) !== undefined, `a rollout goes from ${state} to ${change.state}`)
  const pause = change.pause === undefined ? {} : pauseColumns(change.pause)
  const finished = change.finishedAt === undefined ? {} : { finished_at: change.finishedAt }
  const result = await tx
    .updateTable('rollout')
    .set({ state: change.state, ...(isMove ? { state_since: now } : {}), rev: sql`rev + 1`, ...pause, ...finished })
    .where('id', '=', id)
    .where('rev', '=', rev)
    .executeTakeFirst()
  return result.numUpdatedRows === 1n
}

function pauseColumns(pause: { reason: string | null; by: string; at: string } | null) {
  return { pause_reason: pause?.reason ?? null, paused_by: pause?.by ?? null, paused_at: pause?.at ?? null }
}

/** Takes the rollout's next revision; false when somebody was faster. */
export async function claimRevision(tx: Db, id: number, rev: number): Promise<boolean> {
  const result = await tx
    .updateTable('rollout')
    .set({ rev: sql`rev + 1` })
    .where('id', '=', id)
    .where('rev', '=', rev)
    .executeTakeFirst()
  return result.numUpdatedRows === 1n
}

/** Moves a phase along its machine and answers what it passed through on the way, for the ledger. */
export async function movePhase(
  tx: Db,
  { rollout_id: rolloutId, ord, state }: Pick<PhaseRow, 'rollout_id' | 'ord' | 'state'>,
  to: PhaseState,
  because: string,
  now: string,
): Promise<{ readonly through?: readonly PhaseState[] }> {
  const through = phasePath(state, to)
  assert(through !== undefined, `a phase goes from ${state} to ${to}`)
  await tx
    .updateTable('phase')
    .set({
      state: to,
      state_since: now,
      state_because: because,
      ...(to === 'soaking' ? { soaking_since: now } : {}),
    })
    .where('rollout_id', '=', rolloutId)
    .where('ord', '=', ord)
    .execute()
  return through.length === 0 ? {} : { through }
}

export async function phaseStatesOf(db: Db, rolloutId: number): Promise<Map<number, PhaseState>> {
  const rows = await db.selectFrom('phase').select(['ord', 'state']).where('rollout_id', '=', rolloutId).execute()
  return new Map(rows.map((row) => [row.ord, row.state]))
}

/** One change of the counters: so many devices more or fewer in a state. */
export interface CountDelta {
  readonly rolloutId: number
  readonly ord: number
  readonly action: JobAction
  readonly state: JobState
  readonly by: number
}

/**
 * Adds the deltas to the counters, in key order so that two transactions never wait for each other in a circle. A
 * counter below zero breaks the table's check and with it the transaction: it can never be wrong.
 */
export async function addCounts(tx: Db, deltas: readonly CountDelta[]): Promise<void> {
  const sums = sumDeltas(deltas)
  if (sums.length === 0) return
  await sql`
    with delta as (
      select * from unnest(
        ${sums.map((d) => d.rolloutId)}::int[], ${sums.map((d) => d.ord)}::smallint[],
        ${sums.map((d) => d.action)}::text[], ${sums.map((d) => d.state)}::text[], ${sums.map((d) => d.by)}::int[]
      ) as d (r, o, a, s, n) order by r, o, a, s),
    changed as (
      update phase_count c set devices = c.devices + d.n from delta d
      where c.rollout_id = d.r and c.ord = d.o and c.action = d.a and c.state = d.s
      returning d.r, d.o, d.a, d.s)
    insert into phase_count as c (rollout_id, ord, action, state, devices)
    select r, o, a, s, n from delta where (r, o, a, s) not in (select * from changed)
    on conflict (rollout_id, ord, action, state) do update set devices = c.devices + excluded.devices`.execute(tx)
}

function sumDeltas(deltas: readonly CountDelta[]): CountDelta[] {
  const sums = new Map<string, CountDelta>()
  for (const delta of deltas) {
    const key = `${delta.rolloutId} ${String(delta.ord).padStart(3, '0')} ${delta.action} ${delta.state}`
    const before = sums.get(key)
    sums.set(key, before ? { ...before, by: before.by + delta.by } : delta)
  }
  return [...sums.entries()]
    .filter(([, delta]) => delta.by !== 0)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, delta]) => delta)
}

export function limitsFromRow(row: PhaseRow): PhaseLimits {
  return {
    advanceAtPermille: row.advance_at_permille,
    successPermilleMin: row.success_permille_min,
    failureBudget: row.failure_budget,
    inFlightMax: row.in_flight_max,
    soakSeconds: row.soak_seconds,
    silenceBudget: row.silence_budget,
    notBefore: row.not_before?.toString() ?? null,
    notAfter: row.not_after?.toString() ?? null,
  }
}
