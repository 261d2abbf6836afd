import { ok, type Refusal } from '@bascule/domain/lib/result.ts'
import type { RolloutState } from '@bascule/domain/deliver/rollout.ts'
import type { PhaseState } from '@bascule/domain/deliver/phase.ts'
import type { Db } from '#/platform/db/database.ts'
import { wake } from '#/platform/jobs/timer.ts'
import { record, type Fact } from '#/platform/ledger/record.ts'
import type { ReleaseId } from '@bascule/domain/lib/ids.ts'
import type { Call } from '#/platform/http/os.ts'
import type { Actor } from '#/platform/lib/actor.ts'
import { notFound, refused, type Answer } from '#/platform/lib/answer.ts'
import { findRelease, setReleaseState } from '#/plan/release/release.service.ts'
import { changeRollout, lockRolloutOf, movePhase, observeRollout, type RolloutRow } from './rollout.store.ts'

/** Stops devices that have not begun to install. Acts at once; the reason may follow. */
export async function pauseRollout(
  { db, actor, now }: Call,
  releaseId: ReleaseId,
  reason: string | undefined,
): Promise<Answer<ReleaseId>> {
  return await inRollout(db, releaseId, ['running'], async (tx, rollout) => {
    const pause = { reason: reason ?? null, by: actor.name, at: now.toString() }
    await write(tx, rollout, { state: 'paused', pause }, now)
    await tell(tx, rollout, factOf(actor, rollout, 'rollout.paused', { reason: reason ?? null }, now), now)
    return ok(releaseId)
  })
}

export async function explainPause(
  { db, actor, now }: Call,
  releaseId: ReleaseId,
  reason: string,
): Promise<Answer<ReleaseId>> {
  return await inRollout(db, releaseId, ['paused'], async (tx, rollout) => {
    const pause = { reason, by: rollout.paused_by ?? actor.name, at: (rollout.paused_at ?? now).toString() }
    await write(tx, rollout, { state: 'paused', pause }, now)
    await tell(tx, rollout, factOf(actor, rollout, 'rollout.pause-explained', { reason }, now), now)
    return ok(releaseId)
  })
}

export async function resumeRollout(
  { db, actor, now }: Call,
  releaseId: ReleaseId,
  reason: string,
): Promise<Answer<ReleaseId>> {
  return await inRollout(db, releaseId, ['paused'], async (tx, rollout) => {
    const failed = (await observeRollout(tx, rollout.id))?.phases.find((phase) => phase.state === 'failed')
    if (failed) return refused(phaseFailed(failed.name))
    await write(tx, rollout, { state: 'running', pause: null }, now)
    await tell(tx, rollout, factOf(actor, rollout, 'rollout.resumed', { reason }, now), now)
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

const backOutFrom: readonly RolloutState[] = [
  'running',
  'paused',
  'completed',
  'completed-with-residual',
  'backing-out',
]

/** Takes one phase or all of them back. Each device is told at its next check-in; devices of other phases are not touched (I23). */
export async function backOut(
  { db, actor, now }: Call,
  releaseId: ReleaseId,
  request: BackOutRequest,
): Promise<Answer<ReleaseId>> {
  return await inRollout(db, releaseId, backOutFrom, async (tx, rollout) => {
    const release = await findRelease(tx, releaseId)
    if (release?.title !== request.confirm) return refused(notConfirmed(release?.title ?? ''))
    const seen = await observeRollout(tx, rollout.id)
    const phases = (seen?.phases ?? []).filter(
      (phase) => mayGoBack(phase.state) && (request.phase ?? phase.ord) === phase.ord,
    )
    if (phases.length === 0) return refused(nothingToBackOut)
    const whole = request.phase === undefined
    await write(
      tx,
      rollout,
      whole ? { state: 'backing-out', pause: null } : pausedFor(rollout, actor, request, now),
      now,
    )
    for (const phase of phases)
      await movePhase(tx, rollout.id, phase.ord, 'backing-out', request.reason, now.toString())
    if (whole) await setReleaseState(tx, releaseId, 'backing-out', now.toString())
    const after = { reason: request.reason, phases: phases.map((phase) => phase.ord) }
    await tell(tx, rollout, factOf(actor, rollout, 'rollout.back-out-asked', after, now), now)
    return ok(releaseId)
  })
}

/** Going back in one phase while the next one opens would be two opposite orders at once, so the rollout pauses. */
function pausedFor(rollout: RolloutRow, actor: Actor, request: BackOutRequest, now: Temporal.Instant) {
  if (rollout.state !== 'running') return { state: rollout.state }
  const reason = `Phase ${request.phase} goes back: ${request.reason}`
  return { state: 'paused' as const, pause: { reason, by: actor.name, at: now.toString() } }
}

function mayGoBack(state: PhaseState): boolean {
  return state !== 'waiting' && state !== 'skipped' && state !== 'backed-out' && state !== 'backing-out'
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
export async function acceptResidual(
  { db, actor, now }: Call,
  releaseId: ReleaseId,
  reason: string,
): Promise<Answer<ReleaseId>> {
  return await inRollout(db, releaseId, ['running', 'paused'], async (tx, rollout) => {
    const seen = await observeRollout(tx, rollout.id)
    const behind = seen?.phases.every((phase) => ['succeeded', 'skipped', 'backed-out'].includes(phase.state)) ?? false
    if (!behind) return refused(phasesLeft)
    await write(tx, rollout, { state: 'completed-with-residual', pause: null, finishedAt: now.toString() }, now)
    await setReleaseState(tx, releaseId, 'early-life', now.toString())
    await tell(tx, rollout, factOf(actor, rollout, 'rollout.residual-accepted', { reason }, now), now)
    return ok(releaseId)
  })
}

const phasesLeft: Refusal<'phases-left'> = {
  rule: 'phases-left',
  fact: 'Not every phase is left behind.',
  lifter: 'release manager',
  next: 'Accept or back out the phases that are still open first.',
}

type Work = (tx: Db, rollout: RolloutRow) => Promise<Answer<ReleaseId>>

/** Runs one use case on the locked rollout of a release, in one transaction, if the rollout is in one of these states. */
export async function inRollout(
  db: Db,
  releaseId: ReleaseId,
  states: readonly RolloutState[],
  work: Work,
): Promise<Answer<ReleaseId>> {
  return await db.transaction().execute(async (tx) => {
    const rollout = await lockRolloutOf(tx, releaseId)
    if (!rollout) return notFound('rollout')
    if (!states.includes(rollout.state)) return refused(wrongState(rollout.state, states))
    return await work(tx, rollout)
  })
}

function wrongState(is: RolloutState, states: readonly RolloutState[]): Refusal<'rollout-state'> {
  return {
    rule: 'rollout-state',
    fact: `The rollout is ${is}; this needs it to be ${states.join(' or ')}.`,
    lifter: 'release manager',
    next: is === 'paused' ? 'Resume the rollout first.' : 'Look at the rollout again; somebody may have been faster.',
  }
}

type Change = Parameters<typeof changeRollout>[3]

/** The row is locked, so nobody can have been faster; a failed write is a mistake of ours. */
async function write(tx: Db, rollout: RolloutRow, change: Change, now: Temporal.Instant): Promise<void> {
  const written = await changeRollout(tx, rollout.id, rollout.rev, change, now.toString())
  if (!written) throw new Error(`Rollout ${rollout.id} moved while it was locked`)
}

export function factOf(actor: Actor, rollout: RolloutRow, did: string, after: unknown, now: Temporal.Instant): Fact {
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
