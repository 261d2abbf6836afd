import { unreachable } from '../lib/result.ts'
import { judgePhase, type PhaseLimits, type PhaseState, type PhaseTally } from './phase.ts'

export const rolloutStates = [
  'draft',
  'planned',
  'authorised',
  'scheduled',
  'running',
  'paused',
  'completed',
  'completed-with-residual',
  'backing-out',
  'backed-out',
  'aborted',
  'closed',
] as const
export type RolloutState = (typeof rolloutStates)[number]

export interface PhaseSeen {
  readonly order: number
  readonly state: PhaseState
  readonly limits: PhaseLimits
  readonly tally: PhaseTally
  /** When the soak began, ISO; null before. */
  readonly soakingSince: string | null
}

/** The one next thing to do for a rollout. `wait` may say when to look again by itself. */
export type RolloutStep =
  | { readonly do: 'wait'; readonly lookAgainAt?: string }
  | { readonly do: 'move-phase'; readonly order: number; readonly to: PhaseState; readonly because: string }
  | { readonly do: 'stop'; readonly order: number; readonly because: string }
  | { readonly do: 'complete' }
  | { readonly do: 'finish-back-out' }

/**
 * Looks at a rollout and picks one step. May be asked twice, late, or on two servers: the same facts give the same
 * step, and no answer ever opens a phase while an earlier one is not left behind.
 */
export function nextStep(state: RolloutState, phases: readonly PhaseSeen[], nowIso: string): RolloutStep {
  const backingOut = phases.find((phase) => phase.state === 'backing-out' && isBackOutDone(phase.tally))
  if (backingOut) {
    return {
      do: 'move-phase',
      order: backingOut.order,
      to: 'backed-out',
      because: backedOutBecause(backingOut.tally),
    }
  }
  if (state === 'backing-out') {
    return phases.every((phase) => isOver(phase.state) || phase.state === 'waiting') &&
      !phases.some((p) => p.state === 'backing-out')
      ? { do: 'finish-back-out' }
      : { do: 'wait' }
  }
  if (state !== 'running') return { do: 'wait' }
  return nextPhaseStep(phases, nowIso)
}

/** Who was excused is not waited for, and may have the release all the same: nothing is said of them that nobody knows. */
function backedOutBecause({ byBucket: { excused } }: PhaseTally): string {
  if (excused === 0) return 'No device of the phase runs the release any more.'
  const who = excused === 1 ? '1 excused device' : `${excused} excused devices`
  return `No device of the phase runs the release any more, but for ${who} that may.`
}

function nextPhaseStep(phases: readonly PhaseSeen[], nowIso: string): RolloutStep {
  for (const phase of phases) {
    const step = stepOfPhase(phase, nowIso)
    if (step === 'go-on') continue
    return step
  }
  // Backed out phase by phase, nothing of the release is left to be early in its life.
  if (phases.some((phase) => phase.state === 'backed-out') && !phases.some((phase) => phase.state === 'succeeded')) {
    return { do: 'finish-back-out' }
  }
  const last = phases.every((phase) => phase.state !== 'succeeded' || isSettled(phase.tally))
  return last ? { do: 'complete' } : { do: 'wait' }
}

function stepOfPhase(phase: PhaseSeen, nowIso: string): RolloutStep | 'go-on' {
  const { order, limits, tally } = phase
  switch (phase.state) {
    case 'waiting':
      return openWhenTime(phase, nowIso)
    case 'preparing':
      return { do: 'move-phase', order, to: 'open', because: 'Every precondition of the phase holds.' }
    case 'open':
      return stepOfOpenPhase(phase, nowIso)
    case 'soaking':
      return stepOfSoakingPhase(phase, nowIso)
    case 'evaluating':
    case 'not-enough-evidence':
      return stepOfEvaluation(phase)
    case 'succeeded': {
      const verdict = judgePhase(tally, limits)
      return verdict.answer === 'stop' ? { do: 'stop', order, because: verdict.because } : 'go-on'
    }
    case 'skipped':
    case 'backed-out':
      return 'go-on'
    case 'held':
    case 'failed':
    case 'paused':
    case 'backing-out':
      return { do: 'wait' }
    default:
      return unreachable(phase.state)
  }
}

function openWhenTime(phase: PhaseSeen, nowIso: string): RolloutStep {
  const { notBefore } = phase.limits
  if (notBefore !== null && Date.parse(nowIso) < Date.parse(notBefore)) return { do: 'wait', lookAgainAt: notBefore }
  return { do: 'move-phase', order: phase.order, to: 'preparing', because: 'The phase before is left behind.' }
}

function stepOfOpenPhase({ order, tally, limits }: PhaseSeen, nowIso: string): RolloutStep {
  const verdict = judgePhase(tally, limits)
  if (verdict.answer === 'stop') return { do: 'stop', order, because: verdict.because }
  if (verdict.answer === 'advance') return { do: 'move-phase', order, to: 'soaking', because: verdict.because }
  if (isSettled(tally)) {
    return { do: 'move-phase', order, to: 'evaluating', because: 'Every device of the phase has answered.' }
  }
  if (limits.notAfter === null) return { do: 'wait' }
  if (Date.parse(nowIso) <= Date.parse(limits.notAfter)) return { do: 'wait', lookAgainAt: limits.notAfter }
  return { do: 'move-phase', order, to: 'evaluating', because: `The phase ended at ${limits.notAfter}.` }
}

function stepOfSoakingPhase(phase: PhaseSeen, nowIso: string): RolloutStep {
  const { order, tally, limits, soakingSince } = phase
  const verdict = judgePhase(tally, limits)
  if (verdict.answer === 'stop') return { do: 'stop', order, because: verdict.because }
  // An empty phase has nobody to watch.
  const soakSeconds = tally.size === 0 ? 0 : limits.soakSeconds
  const until = Date.parse(soakingSince ?? nowIso) + soakSeconds * 1000
  if (Date.parse(nowIso) < until) return { do: 'wait', lookAgainAt: new Date(until).toISOString() }
  return { do: 'move-phase', order, to: 'evaluating', because: `Soaked for ${soakSeconds} s.` }
}

function stepOfEvaluation(phase: PhaseSeen): RolloutStep {
  const { order, tally, limits } = phase
  const verdict = judgePhase(tally, limits)
  switch (verdict.answer) {
    case 'stop':
      return { do: 'stop', order, because: verdict.because }
    case 'advance': {
      const to = phase.state === 'evaluating' ? 'succeeded' : 'evaluating'
      return { do: 'move-phase', order, to, because: verdict.because }
    }
    case 'hold':
      return { do: 'move-phase', order, to: 'held', because: verdict.because }
    case 'not-enough-evidence':
      return phase.state === 'not-enough-evidence'
        ? { do: 'wait' }
        : { do: 'move-phase', order, to: 'not-enough-evidence', because: verdict.because }
    default:
      return unreachable(verdict)
  }
}

/** No device of the phase has anything left to do that the server waits for; silent ones are not waited for. */
export function isSettled(tally: PhaseTally): boolean {
  return tally.byBucket['not-started'] === 0 && tally.byBucket['in-progress'] === 0 && tally.byBucket.blocked === 0
}

/** Nobody has the new version or may have it, and nobody is on the way to it or back. Silence proves nothing here. */
function isBackOutDone(tally: PhaseTally): boolean {
  return tally.toReturn === 0
}

function isOver(state: PhaseState): boolean {
  return (
    state === 'succeeded' || state === 'skipped' || state === 'backed-out' || state === 'failed' || state === 'held'
  )
}
