import { ok, type Refusal } from '@bascule/domain/lib/result.ts'
import { phasePath } from '@bascule/domain/deliver/moves.ts'
import type { RolloutState } from '@bascule/domain/deliver/rollout.ts'
import type { PhaseState } from '@bascule/domain/deliver/phase.ts'
import type { Db } from '#/platform/db/database.ts'
import { wake } from '#/platform/jobs/timer.ts'
import { record, type Fact } from '#/platform/ledger/record.ts'
import type { ReleaseId } from '@bascule/domain/lib/ids.ts'
import type { Call } from '#/platform/http/os.ts'
import type { ActorName } from '#/platform/lib/actor.ts'
import { notFound, refused, type Answer } from '#/platform/lib/answer.ts'
import { findRelease, setReleaseState } from '#/plan/release/release.service.ts'
import type { Permission } from '@bascule/domain/estate/permission.ts'
import { everywherePermitted } from './permit.ts'
import {
  changeRollout,
  lockRolloutOf,
  movePhase,
  observeRollout,
  type PhaseRow,
  type RolloutChange,
  type RolloutRow,
} from './rollout.store.ts'

/** Stops devices that have not begun to install. Acts at once; the reason may follow. */
export async function pauseRollout(
  call: Call,
  releaseId: ReleaseId,
  reason: string | undefined,
): Promise<Answer<ReleaseId>> {
  const { actor, now } = call
  return await inRollout(call, releaseId, { permission: 'rollout.pause', states: ['running'] }, async (tx, rollout) => {
    const pause = { reason: reason ?? null, by: actor.name, at: now.toString() }
    await write(tx, rollout, { state: 'paused', pause }, now)
    await tell(tx, rollout, factOf(call, rollout, 'rollout.paused', { state: 'paused', reason: reason ?? null }), now)
    return ok(releaseId)
  })
}

export async function explainPause(call: Call, releaseId: ReleaseId, reason: string): Promise<Answer<ReleaseId>> {
  const { actor, now } = call
  return await inRollout(call, releaseId, { permission: 'rollout.pause', states: ['paused'] }, async (tx, rollout) => {
    const pause = { reason, by: rollout.paused_by ?? actor.name, at: (rollout.paused_at ?? now).toString() }
    await write(tx, rollout, { state: 'paused', pause }, now)
    const before = { reason: rollout.pause_reason }
    await tell(tx, rollout, { ...factOf(call, rollout, 'rollout.pause-explained', { reason }), before }, now)
    return ok(releaseId)
  })
}

export async function resumeRollout(call: Call, releaseId: ReleaseId, reason: string): Promise<Answer<ReleaseId>> {
  const { now } = call
  return await inRollout(call, releaseId, { permission: 'rollout.start', states: ['paused'] }, async (tx, rollout) => {
    const failed = (await observeRollout(tx, rollout.id))?.phases.find((phase) => phase.state === 'failed')
    if (failed) return refused(phaseFailed(failed.name))
    await write(tx, rollout, { state: 'running', pause: null }, now)
    await tell(tx, rollout, factOf(call, rollout, 'rollout.resumed', { state: 'running', reason }), now)
    return ok(releaseId)
  })
}

function phaseFailed(name: string): Refusal<'phase-failed'> {
  return {
    rule: 'phase-failed',
    fact: `The phase "${name}" has failed.`,
    lifter: 'release manager',
    next: 'Back the phase out, or let it go on with a larger failure budget.',
  }
}

export interface BackOutRequest {
  readonly phase?: number | undefined
  readonly reason: string
  /** The release's title as the person typed it. */
  readonly confirm: string
}

/** Takes one phase or all of them back. Each device is told at its next check-in; devices of other phases are not touched (I23). */
export async function backOut(call: Call, releaseId: ReleaseId, request: BackOutRequest): Promise<Answer<ReleaseId>> {
  const { actor, now } = call
  return await inRollout(call, releaseId, { permission: 'rollout.back-out', states: lasting }, async (tx, rollout) => {
    const release = await findRelease(tx, releaseId)
    if (release?.title !== request.confirm) return refused(notConfirmed(release?.title ?? ''))
    const seen = await observeRollout(tx, rollout.id)
    const phases = (seen?.phases ?? []).filter((phase) => (request.phase ?? phase.ord) === phase.ord)
    const going = phases.filter((phase) => mayGoBack(phase.state))
    const whole = request.phase === undefined
    // Even with nothing to take back, a rollout that is not wanted any more has to end.
    if (going.length === 0 && !(whole && rollout.state !== 'backing-out')) return refused(nothingToBackOut)
    await write(tx, rollout, whole ? endedBy : pausedFor(rollout, actor, request, now), now)
    for (const phase of going) await movePhase(tx, phase, 'backing-out', request.reason, now.toString())
    for (const phase of whole ? phases.filter(isPreparing) : [])
      await movePhase(tx, phase, 'waiting', request.reason, now.toString())
    if (whole) await setReleaseState(tx, releaseId, 'backing-out', now.toString())
    const after = { reason: request.reason, phases: going.map((phase) => phase.ord) }
    const before = { state: rollout.state, phases: going.map((phase) => ({ phase: phase.ord, state: phase.state })) }
    await tell(tx, rollout, { ...factOf(call, rollout, 'rollout.back-out-asked', after), before }, now)
    return ok(releaseId)
  })
}

const endedBy = { state: 'backing-out', pause: null, finishedAt: null } as const satisfies RolloutChange

function isPreparing({ state }: PhaseRow): boolean {
  return state === 'preparing'
}

/** Going back in one phase while the next one opens would be two opposite orders at once, so the rollout pauses. */
function pausedFor(rollout: RolloutRow, actor: ActorName, request: BackOutRequest, now: Temporal.Instant) {
  if (rollout.state !== 'running') return { state: rollout.state }
  const reason = `Phase ${request.phase} goes back: ${request.reason}`
  return { state: 'paused' as const, pause: { reason, by: actor.name, at: now.toString() } }
}

function mayGoBack(state: PhaseState): boolean {
  return phasePath(state, 'backing-out') !== undefined
}

function notConfirmed(title: string): Refusal<'not-confirmed'> {
  return {
    rule: 'not-confirmed',
    fact: 'The typed name is not the name of the release.',
    lifter: 'you',
    next: `Type "${title}" to confirm.`,
  }
}

const nothingToBackOut: Refusal<'nothing-to-back-out'> = {
  rule: 'nothing-to-back-out',
  fact: 'No phase that has begun is left to go back.',
  lifter: 'nobody',
  next: 'Nothing.',
}

/** Completes a rollout although devices are left over; they stay visible and may still come. */
export async function acceptResidual(call: Call, releaseId: ReleaseId, reason: string): Promise<Answer<ReleaseId>> {
  const { now } = call
  return await inRollout(
    call,
    releaseId,
    { permission: 'rollout.start', states: ['running', 'paused'] },
    async (tx, rollout) => {
      const seen = await observeRollout(tx, rollout.id)
      const states = seen?.phases.map((phase) => phase.state) ?? []
      const isBehind = states.every((state) => state === 'succeeded' || state === 'skipped' || state === 'backed-out')
      if (!isBehind || !states.includes('succeeded')) return refused(phasesLeft)
      await write(tx, rollout, { state: 'completed-with-residual', pause: null, finishedAt: now.toString() }, now)
      await setReleaseState(tx, releaseId, 'early-life', now.toString())
      await tell(
        tx,
        rollout,
        factOf(call, rollout, 'rollout.residual-accepted', { state: 'completed-with-residual', reason }),
        now,
      )
      return ok(releaseId)
    },
  )
}

const phasesLeft: Refusal<'phases-left'> = {
  rule: 'phases-left',
  fact: 'Not every phase is left behind.',
  lifter: 'release manager',
  next: 'Accept or back out the phases that are still open first.',
}

type Work = (tx: Db, rollout: RolloutRow) => Promise<Answer<ReleaseId>>

export interface Door {
  readonly permission: Permission
  readonly states: readonly RolloutState[]
}

/** Rollouts of which devices may still have something to do. */
export const lasting: readonly RolloutState[] = [
  'running',
  'paused',
  'completed',
  'completed-with-residual',
  'backing-out',
]

/** Runs one use case on the locked rollout of a release, in one transaction, for who may do it everywhere. */
export async function inRollout(
  { db, actor }: Call,
  releaseId: ReleaseId,
  { permission, states }: Door,
  work: Work,
): Promise<Answer<ReleaseId>> {
  const permitted = everywherePermitted(actor, permission)
  if (!permitted.ok) return permitted
  return await db
    .transaction()
    .execute(async (tx) => await whileIn(tx, releaseId, states, async (rollout) => await work(tx, rollout)))
}

/** Locks the rollout of a release and goes on if it is in one of these states. */
export async function whileIn<T>(
  tx: Db,
  releaseId: ReleaseId,
  states: readonly RolloutState[],
  work: (rollout: RolloutRow) => Promise<Answer<T>>,
): Promise<Answer<T>> {
  const rollout = await lockRolloutOf(tx, releaseId)
  if (!rollout) return notFound('rollout')
  if (!states.includes(rollout.state)) return refused(wrongState(rollout.state, states))
  return await work(rollout)
}

function wrongState(is: RolloutState, states: readonly RolloutState[]): Refusal<'rollout-state'> {
  return {
    rule: 'rollout-state',
    fact: `The rollout is ${is}; this needs it to be ${states.join(' or ')}.`,
    lifter: 'release manager',
    next: is === 'paused' ? 'Resume the rollout first.' : 'Look at the rollout again; somebody may have been faster.',
  }
}

type Change = RolloutChange

/** The row is locked, so nobody can have been faster; a failed write is a mistake of ours. */
async function write(tx: Db, rollout: RolloutRow, change: Change, now: Temporal.Instant): Promise<void> {
  const written = await changeRollout(tx, rollout, change, now.toString())
  if (!written) throw new Error(`Rollout ${rollout.id} moved while it was locked`)
}

export function factOf({ actor, now }: Call, rollout: RolloutRow, did: string, after: unknown): Fact {
  return {
    actor,
    at: now,
    did,
    subject: { kind: 'rollout', id: String(rollout.id) },
    releaseId: rollout.release_id,
    before: { state: rollout.state },
    after,
  }
}

/** The fact, and the reconciler woken for what follows from it. */
export async function tell(tx: Db, rollout: RolloutRow, fact: Fact, now: Temporal.Instant): Promise<void> {
  await record(tx, fact)
  await wake(tx, 'rollout', String(rollout.id), now)
}
