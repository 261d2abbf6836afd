import { isFailure, type JobState } from '@bascule/domain/deliver/job.ts'
import {
  tallyPhase,
  type JobCount,
  type PhaseState,
  type PhaseTally,
  type Silence,
} from '@bascule/domain/deliver/phase.ts'
import { nextStep, type PhaseSeen, type RolloutStep } from '@bascule/domain/deliver/rollout.ts'
import type { Logger } from 'pino'
import type { Db } from '#/platform/db/database.ts'
import type { Reconciler } from '#/platform/jobs/worker.ts'
import { record, type Fact } from '#/platform/ledger/record.ts'
import { system } from '#/platform/lib/actor.ts'
import { setReleaseState } from '#/plan/release/release.service.ts'
import { keepBaseline } from '../phase/keep-baseline.ts'
import {
  changeRollout,
  claimRevision,
  limitsFromRow,
  movePhase,
  observeRollout,
  type ObservedRollout,
  type PhaseRow,
} from './rollout.store.ts'

/** How many devices of a phase have gone quiet, by what they were last seen doing. From memory, never from a query. */
export type CountSilent = (
  rolloutId: number,
  phase: number,
  now: Temporal.Instant,
) => Promise<SilentCount> | SilentCount
export type SilentCount = Silence

export interface RolloutReconcilerServices {
  readonly db: Db
  readonly countSilent: CountSilent
}

/** Devices go quiet without telling anybody, so a running rollout is looked at now and then in any case. */
const lookAgainAfter = Temporal.Duration.from({ seconds: 30 })
/** More steps than any plan has phases and states; a rollout that needs more is turning in a circle. */
const stepsPerLook = 2000

/**
 * Carries rollouts on: looks, decides one step by the pure rule, writes it if nothing moved meanwhile, and looks again
 * until there is nothing to do. Safe to run twice, late, or on two servers at once.
 */
export function rolloutReconciler(services: RolloutReconcilerServices): Reconciler {
  return async (key, { now, log }) => {
    const rolloutId = Number(key)
    for (let taken = 0; taken < stepsPerLook; taken += 1) {
      const seen = await observeRollout(services.db, rolloutId)
      if (!seen) return undefined
      await keepPace(services.db, seen, now)
      const step = nextStep(seen.rollout.state, await lookAt(services, seen, now), now.toString())
      if (step.do === 'wait') return { next: nextLook(seen, step.lookAgainAt, now) }
      const applied = await applyStep(services.db, seen, step, now)
      logStep(log, rolloutId, step, applied)
    }
    throw new Error(`Rollout ${rolloutId} took ${stepsPerLook} steps without coming to rest`)
  }
}

export async function lookAt(
  services: RolloutReconcilerServices,
  seen: ObservedRollout,
  now: Temporal.Instant,
): Promise<PhaseSeen[]> {
  return await Promise.all(
    seen.phases.map(async (phase) => ({
      order: phase.ord,
      state: phase.state,
      limits: limitsFromRow(phase),
      tally: await tallyOf(services, seen, phase, now),
      soakingSince: phase.soaking_since?.toString() ?? null,
    })),
  )
}

export async function tallyOf(
  services: RolloutReconcilerServices,
  seen: ObservedRollout,
  phase: PhaseRow,
  now: Temporal.Instant,
): Promise<PhaseTally> {
  const silent = await services.countSilent(seen.rollout.id, phase.ord, now)
  return tallyPhase(phase.size, seen.counts.get(phase.ord) ?? [], silent)
}

function nextLook(seen: ObservedRollout, at: string | undefined, now: Temporal.Instant): Temporal.Instant | undefined {
  if (seen.rollout.state !== 'running' && seen.rollout.state !== 'backing-out') return undefined
  const latest = now.add(lookAgainAfter)
  if (at === undefined) return latest
  const asked = Temporal.Instant.from(at)
  return Temporal.Instant.compare(asked, latest) < 0 ? asked : latest
}

async function applyStep(
  db: Db,
  seen: ObservedRollout,
  step: Exclude<RolloutStep, { do: 'wait' }>,
  now: Temporal.Instant,
): Promise<boolean> {
  return await db.transaction().execute(async (tx) => {
    switch (step.do) {
      case 'move-phase':
        return await applyMove(tx, seen, step.order, step.to, step.because, now)
      case 'stop':
        return await applyStop(tx, seen, step.order, step.because, now)
      case 'complete':
        return await finish(tx, seen, completedState(seen), 'early-life', now)
      case 'finish-back-out':
        return await finish(tx, seen, 'backed-out', 'backed-out', now)
      default:
        throw new Error(`Unknown step ${JSON.stringify(step satisfies never)}`)
    }
  })
}

async function applyMove(
  tx: Db,
  seen: ObservedRollout,
  order: number,
  to: PhaseState,
  because: string,
  now: Temporal.Instant,
): Promise<boolean> {
  const { rollout } = seen
  if (!(await claimRevision(tx, rollout.id, rollout.rev))) return false
  await record(tx, await moveSeen(tx, seen, order, to, because, now))
  return true
}

async function moveSeen(
  tx: Db,
  seen: ObservedRollout,
  order: number,
  to: PhaseState,
  because: string,
  now: Temporal.Instant,
): Promise<Fact> {
  const phase = seen.phases.find((one) => one.ord === order)
  if (!phase) throw new Error(`Rollout ${seen.rollout.id} has no phase ${order}`)
  const passed = await movePhase(tx, phase, to, because, now.toString())
  await keepBaseline(tx, seen.rollout, phase, to, system.name, now)
  return {
    actor: system,
    at: now,
    did: `phase.${to}`,
    subject: { kind: 'phase', id: `${seen.rollout.id}/${order}` },
    releaseId: seen.rollout.release_id,
    before: { state: phase.state },
    after: { state: to, name: phase.name, because, ...passed },
  }
}

/** The stop rule: the phase has failed and the rollout pauses. A phase that was left behind stays so; the pause is enough. */
async function applyStop(
  tx: Db,
  seen: ObservedRollout,
  order: number,
  because: string,
  now: Temporal.Instant,
): Promise<boolean> {
  const pause = { reason: because, by: system.name, at: now.toString() }
  if (!(await changeRollout(tx, seen.rollout, { state: 'paused', pause }, now.toString()))) return false
  const isBehind = seen.phases.find((one) => one.ord === order)?.state === 'succeeded'
  const failed = isBehind ? [] : [await moveSeen(tx, seen, order, 'failed', because, now)]
  await record(tx, ...failed, rolloutFact(seen, 'paused', because, now))
  return true
}

/** Somebody does not have the release: failed, excused, silent or never come. A person sees that before the review does. */
function completedState({ phases, counts }: ObservedRollout): 'completed' | 'completed-with-residual' {
  const audience = phases.reduce((total, phase) => total + phase.size, 0)
  const done = sum([...counts.values()].flat().filter(({ state }) => needsNothing.has(state)))
  return done < audience ? 'completed-with-residual' : 'completed'
}

const needsNothing = new Set<JobState>(['succeeded', 'already-present', 'not-applicable'])

async function finish(
  tx: Db,
  seen: ObservedRollout,
  state: 'completed' | 'completed-with-residual' | 'backed-out',
  release: 'early-life' | 'backed-out',
  now: Temporal.Instant,
): Promise<boolean> {
  const { rollout } = seen
  const change = { state, pause: null, finishedAt: now.toString() }
  if (!(await changeRollout(tx, rollout, change, now.toString()))) return false
  await setReleaseState(tx, rollout.release_id, release, now.toString())
  await record(tx, rolloutFact(seen, state, '', now))
  return true
}

function rolloutFact(seen: ObservedRollout, did: string, because: string, now: Temporal.Instant): Fact {
  return {
    actor: system,
    at: now,
    did: `rollout.${did}`,
    subject: { kind: 'rollout', id: String(seen.rollout.id) },
    releaseId: seen.rollout.release_id,
    before: { state: seen.rollout.state },
    after: because === '' ? { state: did } : { state: did, because },
  }
}

/** One point a minute at the most, and only when something moved, so the chart stays small for ever. */
async function keepPace(db: Db, seen: ObservedRollout, now: Temporal.Instant): Promise<void> {
  const counts = [...seen.counts.values()].flat()
  const verified = sum(counts.filter((count) => count.state === 'succeeded' || count.state === 'already-present'))
  const failures = sum(counts.filter((count) => isFailure(count.action, count.state)))
  const last = await db
    .selectFrom('rollout_pace')
    .selectAll()
    .where('rollout_id', '=', seen.rollout.id)
    .orderBy('at', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (last && last.verified === verified && last.failures === failures) return
  const at = now.round({ smallestUnit: 'second' }).toString()
  await db
    .insertInto('rollout_pace')
    .values({ rollout_id: seen.rollout.id, at, verified, failures })
    .onConflict((conflict) => conflict.columns(['rollout_id', 'at']).doUpdateSet({ verified, failures }))
    .execute()
}

function sum(counts: readonly JobCount[]): number {
  return counts.reduce((total, count) => total + count.devices, 0)
}

function logStep(log: Logger, rolloutId: number, step: RolloutStep, applied: boolean): void {
  log.info({ rolloutId, step, applied }, 'rollout step')
}
