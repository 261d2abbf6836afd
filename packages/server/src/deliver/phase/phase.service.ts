import type { PhaseState } from '@bascule/domain/deliver/phase.ts'
import { ok, type Refusal } from '@bascule/domain/lib/result.ts'
import type { Db } from '#/platform/db/database.ts'
import type { ReleaseId } from '@bascule/domain/lib/ids.ts'
import type { Call } from '#/platform/http/os.ts'
import type { Actor } from '#/platform/lib/actor.ts'
import { notFound, refused, type Answer } from '#/platform/lib/answer.ts'
import { factOf, inRollout, tell } from '../rollout/rollout.service.ts'
import {
  changeRollout,
  movePhase,
  observeRollout,
  type PhaseRow,
  type RolloutChange,
  type RolloutRow,
} from '../rollout/rollout.store.ts'

export interface PhaseRequest {
  readonly releaseId: ReleaseId
  readonly phase: number
  readonly reason: string
}

/** Pauses one phase; devices of other phases go on. */
export async function pausePhase({ db, actor, now }: Call, request: PhaseRequest): Promise<Answer<ReleaseId>> {
  return await inPhase(db, request, ['open', 'soaking', 'held'], async (tx, rollout, phase) => {
    await move(tx, actor, rollout, phase, 'paused', request.reason, now)
  })
}

export interface PhaseResumption extends PhaseRequest {
  readonly failureBudget?: number | undefined
  readonly inFlightMax?: number | undefined
}

/**
 * Lets a paused, held or failed phase go on. After a failure the budget has to be raised, or the stop rule would stop
 * it again at once; a rollout that the stop rule paused goes on with it.
 */
export async function resumePhase({ db, actor, now }: Call, request: PhaseResumption): Promise<Answer<ReleaseId>> {
  return await inPhase(db, request, ['paused', 'held', 'failed', 'not-enough-evidence'], async (tx, rollout, phase) => {
    await tx
      .updateTable('phase')
      .set({
        failure_budget: request.failureBudget ?? phase.failure_budget,
        in_flight_max: request.inFlightMax ?? phase.in_flight_max,
      })
      .where('rollout_id', '=', rollout.id)
      .where('ord', '=', phase.ord)
      .execute()
    const goesOn = phase.state === 'failed' && rollout.state === 'paused'
    const change: RolloutChange = goesOn ? { state: 'running', pause: null } : { state: rollout.state }
    await move(tx, actor, rollout, phase, 'open', request.reason, now, change)
  })
}

/** Leaves a held phase behind as it is: a person has looked and takes it. */
export async function acceptPhase({ db, actor, now }: Call, request: PhaseRequest): Promise<Answer<ReleaseId>> {
  return await inPhase(db, request, ['held', 'not-enough-evidence'], async (tx, rollout, phase) => {
    await move(tx, actor, rollout, phase, 'succeeded', request.reason, now)
  })
}

type PhaseWork = (tx: Db, rollout: RolloutRow, phase: PhaseRow) => Promise<void>

async function inPhase(
  db: Db,
  request: PhaseRequest,
  states: readonly PhaseState[],
  work: PhaseWork,
): Promise<Answer<ReleaseId>> {
  return await inRollout(db, request.releaseId, ['running', 'paused'], async (tx, rollout) => {
    const seen = await observeRollout(tx, rollout.id)
    const phase = seen?.phases.find((one) => one.ord === request.phase)
    if (!phase) return notFound('phase')
    if (!states.includes(phase.state)) return refused(wrongPhaseState(phase, states))
    await work(tx, rollout, phase)
    return ok(request.releaseId)
  })
}

function wrongPhaseState(phase: PhaseRow, states: readonly PhaseState[]): Refusal<'phase-state'> {
  return {
    rule: 'phase-state',
    fact: `The phase "${phase.name}" is ${phase.state}; this needs it to be ${states.join(' or ')}.`,
    lifter: 'release manager',
    next: 'Look at the phase again; it may have gone on by itself.',
  }
}

async function move(
  tx: Db,
  actor: Actor,
  rollout: RolloutRow,
  phase: PhaseRow,
  to: PhaseState,
  reason: string,
  now: Temporal.Instant,
  change: RolloutChange = { state: rollout.state },
): Promise<void> {
  await changeRollout(tx, rollout.id, rollout.rev, change, now.toString())
  await movePhase(tx, rollout.id, phase.ord, to, reason, now.toString())
  const after = { phase: phase.ord, name: phase.name, state: to, reason }
  await tell(tx, rollout, { ...factOf(actor, rollout, `phase.${to}`, after, now), before: { state: phase.state } }, now)
}
