import {
  isBudgetSpent,
  nobodySilent,
  tallyPhase,
  type JobCount,
  type PhaseLimits,
  type PhaseState,
} from '@bascule/domain/deliver/phase.ts'
import type { Permission } from '@bascule/domain/estate/permission.ts'
import { ok, type Refusal } from '@bascule/domain/lib/result.ts'
import type { Db } from '#/platform/db/database.ts'
import type { ReleaseId } from '@bascule/domain/lib/ids.ts'
import type { Call } from '#/platform/http/os.ts'
import { notFound, refused, type Answer } from '#/platform/lib/answer.ts'
import { keepBaseline } from './keep-baseline.ts'
import { factOf, inRollout, lasting, tell } from '../rollout/rollout.service.ts'
import {
  changeRollout,
  limitsFromRow,
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
export async function pausePhase(call: Call, request: PhaseRequest): Promise<Answer<ReleaseId>> {
  const door = { permission: 'rollout.pause', from: ['open', 'soaking', 'held'] } as const
  return await inPhase(call, request, door, async (tx, rollout, phase) => {
    await move(tx, call, rollout, phase, 'paused', request.reason)
    return ok(request.releaseId)
  })
}

export interface PhaseResumption extends PhaseRequest {
  readonly failureBudget?: number | undefined
  readonly inFlightMax?: number | undefined
}

/**
 * Lets a paused, held or failed phase go on. After a failure the budget has to be raised, or the stop rule would stop
 * it again at once; a rollout that the stop rule paused goes on with it. A phase that was left behind and spent its
 * budget late stays behind and gets a larger one.
 */
export async function resumePhase(call: Call, request: PhaseResumption): Promise<Answer<ReleaseId>> {
  const door = {
    permission: 'rollout.start',
    from: ['paused', 'held', 'failed', 'not-enough-evidence', 'succeeded'],
  } as const
  return await inPhase(call, request, door, async (tx, rollout, phase, counts) => {
    const limits = limitsAfter(phase, request)
    const tally = tallyPhase(phase.size, counts, nobodySilent)
    if (isBudgetSpent(tally, limits)) return refused(budgetSpent(phase.name, tally.failures))
    await tx
      .updateTable('phase')
      .set({ failure_budget: limits.failureBudget, in_flight_max: limits.inFlightMax })
      .where('rollout_id', '=', rollout.id)
      .where('ord', '=', phase.ord)
      .execute()
    const goesOn = rollout.state === 'paused' && (phase.state === 'failed' || phase.state === 'succeeded')
    const change: RolloutChange = goesOn ? { state: 'running', pause: null } : { state: rollout.state }
    const to = phase.state === 'succeeded' ? 'succeeded' : 'open'
    await move(tx, call, rollout, phase, to, request.reason, change, limits)
    return ok(request.releaseId)
  })
}

function limitsAfter(phase: PhaseRow, { failureBudget, inFlightMax }: PhaseResumption): PhaseLimits {
  const limits = limitsFromRow(phase)
  return {
    ...limits,
    failureBudget: failureBudget ?? limits.failureBudget,
    inFlightMax: inFlightMax ?? limits.inFlightMax,
  }
}

function budgetSpent(name: string, failures: number): Refusal<'failure-budget-spent'> {
  return {
    rule: 'failure-budget-spent',
    fact: `${failures} devices of "${name}" have failed; the budget or the cap is used up, and the phase would stop at once.`,
    lifter: 'release manager',
    next: `Let it go on with a budget and a cap above ${failures}, retry or excuse devices, or back the phase out.`,
  }
}

/**
 * Leaves a held phase behind as it is: a person has looked and takes it. A phase that goes back is left with the devices
 * that never came for it; they still go back if they come.
 */
export async function acceptPhase(call: Call, request: PhaseRequest): Promise<Answer<ReleaseId>> {
  const door = { permission: 'rollout.start', from: ['held', 'not-enough-evidence', 'backing-out'] } as const
  return await inPhase(call, request, door, async (tx, rollout, phase) => {
    const to = phase.state === 'backing-out' ? 'backed-out' : 'succeeded'
    await move(tx, call, rollout, phase, to, request.reason)
    return ok(request.releaseId)
  })
}

type PhaseWork = (
  tx: Db,
  rollout: RolloutRow,
  phase: PhaseRow,
  counts: readonly JobCount[],
) => Promise<Answer<ReleaseId>>

interface PhaseDoor {
  readonly permission: Permission
  readonly from: readonly PhaseState[]
}

async function inPhase(
  call: Call,
  request: PhaseRequest,
  { permission, from }: PhaseDoor,
  work: PhaseWork,
): Promise<Answer<ReleaseId>> {
  // What goes back may do so in any rollout that is not over; everything else needs one that still goes forward.
  const door = { permission, states: from.includes('backing-out') ? lasting : (['running', 'paused'] as const) }
  return await inRollout(call, request.releaseId, door, async (tx, rollout) => {
    const seen = await observeRollout(tx, rollout.id)
    const phase = seen?.phases.find((one) => one.ord === request.phase)
    if (!phase) return notFound('phase')
    if (!from.includes(phase.state)) return refused(wrongPhaseState(phase, from))
    return await work(tx, rollout, phase, seen?.counts.get(phase.ord) ?? [])
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
  call: Call,
  rollout: RolloutRow,
  phase: PhaseRow,
  to: PhaseState,
  reason: string,
  change: RolloutChange = { state: rollout.state },
  limits: PhaseLimits = limitsFromRow(phase),
): Promise<void> {
  const now = call.now.toString()
  await changeRollout(tx, rollout, change, now)
  const passed = to === phase.state ? {} : await movePhase(tx, phase, to, reason, now)
  if (to !== phase.state) await keepBaseline(tx, rollout, phase, to, call.actor.name, call.now)
  const numbers = ({ failureBudget, inFlightMax }: PhaseLimits) => ({ failureBudget, inFlightMax })
  const after = {
    phase: phase.ord,
    name: phase.name,
    state: to,
    rollout: change.state,
    reason,
    ...numbers(limits),
    ...passed,
  }
  const before = { state: phase.state, rollout: rollout.state, ...numbers(limitsFromRow(phase)) }
  const did = to === phase.state ? 'phase.limits-changed' : `phase.${to}`
  await tell(tx, rollout, { ...factOf(call, rollout, did, after), before }, call.now)
}
