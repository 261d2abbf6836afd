import type { CauseView, PacePoint, PhaseView, RolloutView, TallyView } from '@bascule/contract/deliver/rollout.ts'
import { buckets, turnClass, type Bucket } from '@bascule/domain/deliver/job.ts'
import type { WaitReason } from '@bascule/domain/deliver/agent-step.ts'
import { judgePhase, type PhaseState, type PhaseTally } from '@bascule/domain/deliver/phase.ts'
import { sql } from 'kysely'
import type * as z from 'zod'
import { tallyOf, type CountSilent } from '#/deliver/rollout/rollout.reconciler.ts'
import {
  findRolloutOf,
  limitsFromRow,
  observeRollout,
  type ObservedRollout,
  type PhaseRow,
} from '#/deliver/rollout/rollout.store.ts'
import { authorityOf } from './authority-of-rollout.ts'
import type { Db } from '#/platform/db/database.ts'

export interface ViewServices {
  readonly db: Db
  readonly countSilent: CountSilent
}

/** Everything the cockpit shows about a rollout. Reads counters and the few jobs that do not go on; never counts a fleet. */
export async function viewRollout(
  services: ViewServices,
  releaseId: string,
  now: Temporal.Instant,
): Promise<RolloutView | undefined> {
  const row = await findRolloutOf(services.db, releaseId)
  const seen = row && (await observeRollout(services.db, row.id))
  if (!seen) return undefined
  const phases = await Promise.all(
    seen.phases.map(async (phase) => phaseView(phase, await tallyOf(services, seen, phase, now))),
  )
  const { rollout } = seen
  return {
    releaseId: rollout.release_id as RolloutView['releaseId'],
    state: rollout.state,
    pause: pauseOf(seen),
    startedAt: rollout.started_at.toString(),
    finishedAt: rollout.finished_at?.toString() ?? null,
    audienceMode: rollout.audience_mode,
    audienceQuery: rollout.audience_query,
    whole: sumTallies(phases.map((phase) => phase.tally)),
    phases,
    causes: await causesOf(services.db, rollout.id, phases),
    pace: await paceOf(services.db, rollout.id),
    next: nextSentence(seen, phases),
    authority: await authorityOf(services.db, rollout),
  }
}

function pauseOf({ rollout }: ObservedRollout): RolloutView['pause'] {
  if (rollout.state !== 'paused') return null
  return {
    reason: rollout.pause_reason,
    by: rollout.paused_by ?? '',
    at: (rollout.paused_at ?? rollout.state_since).toString(),
  }
}

function phaseView(row: PhaseRow, tally: PhaseTally): PhaseView {
  const limits = limitsFromRow(row)
  const soaking = row.soaking_since
  return {
    order: row.ord,
    name: row.name,
    query: row.query,
    state: row.state,
    stateSince: row.state_since.toString(),
    soakingSince: soaking?.toString() ?? null,
    soakEndsAt: soaking?.add({ seconds: row.soak_seconds }).toString() ?? null,
    limits,
    tally,
    verdict: judgePhase(tally, limits),
    lateJoiners: row.late_joiners,
  }
}

type Tally = z.infer<typeof TallyView>

export function sumTallies(tallies: readonly Tally[]): Tally {
  const byBucket = Object.fromEntries(
    buckets.map((bucket) => [bucket, sum(tallies, (tally) => tally.byBucket[bucket])]),
  ) as Record<Bucket, number>
  return {
    size: sum(tallies, (tally) => tally.size),
    byBucket,
    failures: sum(tallies, (tally) => tally.failures),
    inFlight: sum(tallies, (tally) => tally.inFlight),
    vanished: sum(tallies, (tally) => tally.vanished),
    verified: sum(tallies, (tally) => tally.verified),
    countable: sum(tallies, (tally) => tally.countable),
    offered: sum(tallies, (tally) => tally.offered),
    downloading: sum(tallies, (tally) => tally.downloading),
    installing: sum(tallies, (tally) => tally.installing),
  }
}

function sum(tallies: readonly Tally[], of: (tally: Tally) => number): number {
  return tallies.reduce((total, tally) => total + of(tally), 0)
}

interface CauseRow {
  state: string
  cause: string
  wait_reason: WaitReason | null
  stuck_reason: string | null
  devices: number
  oldest: Temporal.Instant
  sentence: string | null
  refusal_code: string | null
  refusal_rule: string | null
}

/** Groups of equal trouble, from the partial index that holds only jobs which do not go on by themselves. */
async function causesOf(db: Db, rolloutId: number, phases: readonly PhaseView[]): Promise<CauseView[]> {
  const rows = await sql<CauseRow>`
    select case when state in ('blocked', 'download-waiting') then 'waiting' when state = 'rolled-back' then 'rolled-back'
        else 'failed' end as state,
      coalesce(stuck_reason, wait_reason, 'unknown') as cause, wait_reason, stuck_reason, refusal_code, refusal_rule,
      count(*)::int as devices,
      min(state_since) as oldest, (array_agg(sentence order by state_since desc))[1] as sentence
    from job where rollout_id = ${rolloutId} and (action = 'install' or state <> 'rolled-back')
      and state in ('blocked', 'download-waiting', 'failed-retryable', 'failed-needs-human', 'rolled-back')
    group by 1, 2, 3, 4, 5, 6 order by devices desc limit 50`.execute(db)
  const causes = rows.rows.map((row): CauseView => ({
    kind: row.state as CauseView['kind'],
    cause: row.cause,
    sentence: row.sentence ?? row.cause,
    turn: turnClass(row.wait_reason, row.stuck_reason),
    devices: row.devices,
    oldestAt: row.oldest.toString(),
    refusal: row.refusal_code === null ? null : { code: row.refusal_code, rule: row.refusal_rule ?? '' },
  }))
  return [...causes, ...silentCauses(phases)]
}

/** Who vanished in the middle of an install is a cause of its own: something may be broken there, and it holds a place. */
function silentCauses(phases: readonly PhaseView[]): CauseView[] {
  const vanished = phases.reduce((total, phase) => total + phase.tally.vanished, 0)
  const silent = phases.reduce((total, phase) => total + phase.tally.byBucket.silent, 0) - vanished
  const given = phases.reduce((sum, { tally, limits }) => sum + Math.min(tally.vanished, limits.silenceBudget), 0)
  const common = { kind: 'silent', oldestAt: null, refusal: null } as const
  const lost = `Went quiet in the middle of the install; ${given} of ${vanished} places free for others`
  return [
    ...(vanished > 0
      ? [{ ...common, cause: 'vanished', sentence: lost, turn: 'engineer' as const, devices: vanished }]
      : []),
    ...(silent > 0
      ? [
          {
            ...common,
            cause: 'silent',
            sentence: 'Not heard of beyond their own habit',
            turn: 'desk' as const,
            devices: silent,
          },
        ]
      : []),
  ]
}

const pointsMax = 200

async function paceOf(db: Db, rolloutId: number): Promise<z.infer<typeof PacePoint>[]> {
  const rows = await db
    .selectFrom('rollout_pace')
    .selectAll()
    .where('rollout_id', '=', rolloutId)
    .orderBy('at')
    .execute()
  const every = Math.max(1, Math.ceil(rows.length / pointsMax))
  return rows
    .filter((_row, at) => at % every === 0 || at === rows.length - 1)
    .map((row) => ({ at: row.at.toString(), verified: row.verified, failures: row.failures }))
}

/** What happens next, in one sentence. */
function nextSentence({ rollout }: ObservedRollout, phases: readonly PhaseView[]): string {
  const leaving = phases.find((phase) => phase.state === 'backing-out')
  if (leaving) return `"${leaving.name}" goes back: its devices are told when they check in.`
  if (rollout.state === 'paused') return `A person resumes it. ${rollout.pause_reason ?? ''}`.trim()
  if (rollout.state === 'backing-out') return 'Nothing is left to go back; the rollout ends.'
  if (rollout.state !== 'running') return 'The rollout is over.'
  const current = phases.find((phase) => !isBehind(phase.state))
  if (!current) return 'Waits for the last devices.'
  const following = phases.find((phase) => phase.order > current.order)
  return sentenceOf(current, following ? `, then "${following.name}" opens` : '')
}

export function isBehind(state: PhaseState): boolean {
  return state === 'succeeded' || state === 'skipped' || state === 'backed-out'
}

/** Without times: the reader's clock shows them beside the phase, in the reader's zone. */
function sentenceOf({ name, state, limits, verdict }: PhaseView, then: string): string {
  if (state === 'soaking') return `"${name}" soaks${then}.`
  if (state === 'waiting') return `"${name}" opens${limits.notBefore === null ? ' now' : ' when its time has come'}.`
  if (state === 'paused') return `"${name}" is paused; a person lets it go on.`
  if (state === 'held' || state === 'failed') return `"${name}" needs a person: ${verdict.because}`
  return `"${name}": ${verdict.because}${then === '' ? '' : ` When they are there${then}.`}`
}
