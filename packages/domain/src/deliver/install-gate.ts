import { refuse, ok, type Refusal, type Result } from '../lib/result.ts'
import { failuresMax, isBudgetSpent, placesTaken, type PhaseLimits, type PhaseState, type PhaseTally } from './phase.ts'
import type { RolloutState } from './rollout.ts'

export type InstallRefusal = Refusal<
  'rollout-not-running' | 'phase-not-open' | 'not-yet' | 'too-late' | 'failure-budget-spent' | 'in-flight-cap'
>

/**
 * Whether one more device may go from staged to installing. Asked in the transaction that lets it, with the phase
 * locked, so that the places taken never exceed the cap and nobody passes once the budget is spent (I20).
 */
export function mayInstall(
  rollout: RolloutState,
  phase: PhaseState,
  tally: Pick<PhaseTally, 'failures' | 'inFlight' | 'vanished'>,
  limits: PhaseLimits,
  nowIso: string,
): Result<true, InstallRefusal> {
  if (!servesDevices(rollout)) {
    return refuse({
      rule: 'rollout-not-running',
      fact: `The rollout is ${rollout}.`,
      lifter: 'release manager',
      next: rollout === 'paused' ? 'Resume the rollout; this device then goes on by itself.' : 'Plan a new release.',
    })
  }
  if (!letsDevicesInstall(phase)) {
    return refuse({
      rule: 'phase-not-open',
      fact: `The phase is ${phase}.`,
      lifter: 'release manager',
      next: 'Open the phase again or excuse the device.',
    })
  }
  const window = outsideWindow(limits, nowIso)
  if (window) return refuse(window)
  if (isBudgetSpent(tally, limits)) {
    return refuse({
      rule: 'failure-budget-spent',
      fact: `${tally.failures} of ${failuresMax(limits)} allowed failures are used up.`,
      lifter: 'release manager',
      next: 'Look at the failures, then back out the phase or raise the budget.',
    })
  }
  if (placesTaken(tally, limits) >= limits.inFlightMax) {
    return refuse({
      rule: 'in-flight-cap',
      fact: `${tally.inFlight} in flight${vanishedOf(tally)} and ${tally.failures} failed reach the cap of ${limits.inFlightMax}.`,
      lifter: 'the next device that finishes',
      next: 'Nothing; the device asks again.',
    })
  }
  return ok(true)
}

function vanishedOf({ vanished }: Pick<PhaseTally, 'vanished'>): string {
  return vanished === 0 ? '' : ` (${vanished} of them quiet)`
}

/** A finished rollout still serves a device that comes home late; a paused one begins nothing new. */
export function servesDevices(rollout: RolloutState): boolean {
  return rollout === 'running' || rollout === 'completed' || rollout === 'completed-with-residual'
}

/** A phase that was left behind still takes its late devices; one that failed or is held does not. */
export function letsDevicesInstall(phase: PhaseState): boolean {
  return (
    phase === 'open' ||
    phase === 'soaking' ||
    phase === 'evaluating' ||
    phase === 'not-enough-evidence' ||
    phase === 'succeeded'
  )
}

function outsideWindow(limits: PhaseLimits, nowIso: string): InstallRefusal | undefined {
  const now = Date.parse(nowIso)
  if (limits.notBefore !== null && now < Date.parse(limits.notBefore)) {
    return {
      rule: 'not-yet',
      fact: `The phase starts at ${limits.notBefore}.`,
      lifter: 'time',
      next: 'Nothing; it opens by itself.',
    }
  }
  if (limits.notAfter !== null && now > Date.parse(limits.notAfter)) {
    return {
      rule: 'too-late',
      fact: `The phase ended at ${limits.notAfter}.`,
      lifter: 'release manager',
      next: 'Plan a new phase for the devices that are left.',
    }
  }
  return undefined
}
