import type { AuthorityRefused } from '@bascule/contract/device/protocol.ts'
import { isInFlight, jobStates, type JobAction, type JobState } from '@bascule/domain/deliver/job.ts'
import { sql } from 'kysely'
import type { Db } from '#/platform/db/database.ts'

export interface LockedJob {
  readonly id: number
  readonly rolloutId: number
  readonly deviceId: number
  readonly phase: number
  readonly attempt: number
  readonly action: JobAction
  readonly state: JobState
  readonly reportSeq: number
}

/**
 * Locks phases in one order for everybody. Every transaction that changes jobs of devices begins here, so that two of
 * them never wait for each other in a circle and a count read afterwards is the count when it commits. After the
 * phases come the jobs, then the counters, the assignments and last the timers.
 */
export async function lockPhases(
  tx: Db,
  keys: readonly { readonly rolloutId: number; readonly ord: number }[],
): Promise<void> {
  if (keys.length === 0) return
  await sql`
    select 1 from phase p
    where (p.rollout_id, p.ord) in (select * from unnest(${keys.map((k) => k.rolloutId)}::int[], ${keys.map((k) => k.ord)}::smallint[]))
    order by p.rollout_id, p.ord for no key update`.execute(tx)
}

/** The same for the phases of these jobs, whose rows are not locked yet: what a job's phase is never changes. */
export async function lockPhasesOfJobs(tx: Db, jobIds: readonly number[]): Promise<void> {
  if (jobIds.length === 0) return
  await sql`
    select 1 from phase p
    where (p.rollout_id, p.ord) in (select rollout_id, phase from job where id = any(${[...jobIds]}::bigint[]))
    order by p.rollout_id, p.ord for no key update`.execute(tx)
}

export async function lockJobs(tx: Db, jobIds: readonly number[]): Promise<LockedJob[]> {
  if (jobIds.length === 0) return []
  const rows = await sql<{
    id: number
    rollout_id: number
    device_id: number
    phase: number
    attempt: number
    action: JobAction
    state: JobState
    report_seq: number
  }>`
    select id, rollout_id, device_id, phase, attempt, action, state, report_seq
    from job where id = any(${[...jobIds]}::bigint[]) order by rollout_id, device_id for update`.execute(tx)
  return rows.rows.map((row) => ({
    id: row.id,
    rolloutId: row.rollout_id,
    deviceId: row.device_id,
    phase: row.phase,
    attempt: row.attempt,
    action: row.action,
    state: row.state,
    reportSeq: row.report_seq,
  }))
}

/** Fleet indexes of the devices of a phase that were let through and have not ended: never more than the cap and what failed. */
export async function devicesInFlight(tx: Db, rolloutId: number, ord: number): Promise<number[]> {
  const rows = await tx
    .selectFrom('job')
    .select('device_id')
    .where('rollout_id', '=', rolloutId)
    .where('phase', '=', ord)
    .where('state', 'in', jobStates.filter(isInFlight))
    .execute()
  return rows.map((row) => row.device_id)
}

export interface JobChange {
  readonly id: number
  readonly state: JobState
  readonly waitReason: string | null
  readonly stuckReason: string | null
  readonly sentence: string | null
  readonly wakesOn: string | null
  readonly reportSeq: number
  /** Which check of the device's own verification says no; left out, the job is not refused (any more). */
  readonly refusal?: AuthorityRefused | undefined
}

/** Writes the new states in one statement. `state_since` moves only when the state or its reason does. */
export async function changeJobs(tx: Db, changes: readonly JobChange[], now: string): Promise<void> {
  if (changes.length === 0) return
  await sql`
    update job j set state = c.state, wait_reason = c.wait, stuck_reason = c.stuck, sentence = c.sentence,
      wakes_on = c.wakes, report_seq = c.seq, refusal_code = c.code, refusal_rule = c.rule,
      state_since = case when j.state is distinct from c.state or j.wait_reason is distinct from c.wait
        then ${now}::timestamptz else j.state_since end
    from unnest(${changes.map((c) => c.id)}::bigint[], ${changes.map((c) => c.state)}::text[],
      ${changes.map((c) => c.waitReason)}::text[], ${changes.map((c) => c.stuckReason)}::text[],
      ${changes.map((c) => c.sentence)}::text[], ${changes.map((c) => c.wakesOn)}::text[],
      ${changes.map((c) => c.reportSeq)}::bigint[], ${changes.map((c) => c.refusal?.code ?? null)}::text[],
      ${changes.map((c) => c.refusal?.rule ?? null)}::text[]) as c (id, state, wait, stuck, sentence, wakes, seq, code, rule)
    where j.id = c.id`.execute(tx)
}

export interface NewJob {
  readonly rolloutId: number
  readonly deviceId: number
  readonly phase: number
}

/** Makes first jobs; a device that has one already is left out of the answer. */
export async function insertJobs(tx: Db, jobs: readonly NewJob[], now: string): Promise<(NewJob & { id: number })[]> {
  if (jobs.length === 0) return []
  const rows = await sql<{ id: number; rollout_id: number; device_id: number; phase: number }>`
    insert into job (rollout_id, device_id, phase, action, state, state_since)
    select r, d, p, 'install', 'assigned', ${now}::timestamptz
    from unnest(${jobs.map((j) => j.rolloutId)}::int[], ${jobs.map((j) => j.deviceId)}::int[],
      ${jobs.map((j) => j.phase)}::smallint[]) as n (r, d, p) order by r, d
    on conflict do nothing returning id, rollout_id, device_id, phase`.execute(tx)
  return rows.rows.map((row) => ({ id: row.id, rolloutId: row.rollout_id, deviceId: row.device_id, phase: row.phase }))
}

/** Puts a new job in the place of the old one: a retry, or the way back. Returns the new ids by old id. */
export async function replaceJobs(
  tx: Db,
  replacements: readonly { readonly id: number; readonly action: JobAction }[],
  now: string,
): Promise<Map<number, number>> {
  if (replacements.length === 0) return new Map()
  const rows = await sql<{ old_id: number; id: number }>`
    update job j set id = c.new_id, attempt = j.attempt + 1, action = c.action, state = 'assigned',
      state_since = ${now}::timestamptz, wait_reason = null, stuck_reason = null, sentence = null, wakes_on = null, report_seq = 0,
      refusal_code = null, refusal_rule = null
    from (select id, action, nextval('job_id') as new_id
      from unnest(${replacements.map((r) => r.id)}::bigint[], ${replacements.map((r) => r.action)}::text[]) as r (id, action)) c
    where j.id = c.id returning c.id as old_id, j.id`.execute(tx)
  return new Map(rows.rows.map((row) => [row.old_id, row.id]))
}

/** Asks for a new assignment at the devices' next check-in. */
export async function markStale(tx: Db, deviceIds: readonly number[]): Promise<void> {
  if (deviceIds.length === 0) return
  await sql`
    insert into assignment (device_id, generation, stale) select d, 0, true from unnest(${[...deviceIds]}::int[]) as d order by d
    on conflict (device_id) do update set stale = true`.execute(tx)
}
