import {
  awaitsReturn,
  bucketOf,
  type Bucket,
  buckets,
  isFailure,
  isInFlight,
  type JobAction,
  type JobState,
} from './job.ts'

export const phaseStates = [
  'waiting',
  'preparing',
  'open',
  'soaking',
  'evaluating',
  'not-enough-evidence',
  'held',
  'succeeded',
  'failed',
  'paused',
  'backing-out',
  'backed-out',
  'skipped',
] as const
export type PhaseState = (typeof phaseStates)[number]

/** The limits of one phase as planned. Shares are in thousandths, times in seconds. */
export interface PhaseLimits {
  /** Share of the countable devices that must be verified before the phase may soak and advance. */
  readonly advanceAtPermille: number
  /** Smallest share of verified among the decided (verified + failed). */
  readonly successPermilleMin: number
  /** The phase stops when this many devices have failed. */
  readonly failureBudget: number
  /**
   * Failed plus in flight never exceeds this, but for devices within the silence budget that vanished in flight and gave
   * their places back: the most devices a bad version can hurt are these two together.
   */
  readonly inFlightMax: number
  readonly soakSeconds: number
  /** How many devices may have gone quiet beyond their habit. As many may give back their place in flight. */
  readonly silenceBudget: number
  readonly notBefore: string | null
  readonly notAfter: string | null
}

/** One counter as kept by the transactions that change jobs. */
export interface JobCount {
  readonly action: JobAction
  readonly state: JobState
  readonly devices: number
}

/** A phase in numbers. `byBucket` adds up to `size` at all times (I17). */
export interface PhaseTally {
  readonly size: number
  readonly byBucket: Readonly<Record<Bucket, number>>
  readonly failures: number
  readonly inFlight: number
  /** Of those in flight, the ones that have gone quiet: they may still install, and nobody hears how it ends. */
  readonly vanished: number
  readonly verified: number
  /** Devices the thresholds speak of: all but excused, not applicable, cancelled and superseded. */
  readonly countable: number
  /** Finer than the buckets, for the device bar. */
  readonly offered: number
  readonly downloading: number
  readonly installing: number
  /** Devices that have the release, may have it or are on the way, silent or not: a back-out waits for them. */
  readonly toReturn: number
}

/** Devices that have gone quiet, by what they were last seen doing. `inFlight` is a part of `inProgress`. */
export interface Silence {
  readonly notStarted: number
  readonly inProgress: number
  readonly blocked: number
  readonly inFlight?: number
}

/**
 * Adds a phase up. `silentByState` takes devices that have gone quiet out of the state they were last seen in, so
 * that the sum stays the audience; devices without a job are `not-started`.
 */
export function tallyPhase(size: number, counts: readonly JobCount[], silent: Silence): PhaseTally {
  const byBucket = Object.fromEntries(buckets.map((bucket) => [bucket, 0])) as Record<Bucket, number>
  let known = 0
  let failures = 0
  let inFlight = 0
  let offered = 0
  let downloading = 0
  let toReturn = 0
  for (const { action, state, devices } of counts) {
    byBucket[bucketOf(state)] += devices
    known += devices
    if (isFailure(action, state)) failures += devices
    if (awaitsReturn(state)) toReturn += devices
    if (isInFlight(state)) inFlight += devices
    else if (state === 'downloading' || state === 'download-waiting' || state === 'staged') downloading += devices
    else if (bucketOf(state) === 'in-progress') offered += devices
  }
  byBucket['not-started'] = size - known
  goQuiet(byBucket, 'not-started', silent.notStarted)
  goQuiet(byBucket, 'in-progress', silent.inProgress)
  goQuiet(byBucket, 'blocked', silent.blocked)
  const aside = byBucket.excused + byBucket['not-applicable'] + byBucket.cancelled + byBucket.superseded
  const verified = byBucket.succeeded + byBucket['already-present']
  return {
    size,
    byBucket,
    failures,
    inFlight,
    vanished: Math.min(silent.inFlight ?? 0, inFlight),
    verified,
    countable: size - aside,
    offered,
    downloading,
    installing: inFlight,
    toReturn,
  }
}

/** Silence is counted in memory a moment after the counters were read; a device that came back meanwhile is not silent. */
function goQuiet(byBucket: Record<Bucket, number>, from: Bucket, count: number): void {
  const quiet = Math.min(count, byBucket[from])
  byBucket[from] -= quiet
  byBucket.silent += quiet
}

export const nobodySilent = { notStarted: 0, inProgress: 0, blocked: 0 } as const

/** The answer of the advance rule, with the sentence a person reads. Not enough evidence never advances (I16). */
export type AdvanceAnswer =
  | { readonly answer: 'advance'; readonly because: string }
  | { readonly answer: 'hold'; readonly because: string }
  | { readonly answer: 'not-enough-evidence'; readonly because: string }
  | { readonly answer: 'stop'; readonly because: string }

/** Whether a phase may be left behind. The stop rule is asked first: a spent failure budget beats every success. */
export function judgePhase(tally: PhaseTally, limits: PhaseLimits): AdvanceAnswer {
  if (isBudgetSpent(tally, limits)) {
    return { answer: 'stop', because: `${devices(tally.failures)} failed, ${failuresMax(limits)} stop the phase.` }
  }
  const silent = tally.byBucket.silent
  if (silent > limits.silenceBudget) {
    return { answer: 'hold', because: `${devices(silent)} went quiet, ${limits.silenceBudget} may.` }
  }
  if (tally.size > 0 && tally.countable === 0) {
    return { answer: 'hold', because: 'No device of the phase is left that could prove anything.' }
  }
  const needed = devicesToAdvance(tally, limits)
  if (tally.verified < needed) {
    return {
      answer: 'not-enough-evidence',
      because: `${tally.verified} of ${tally.countable} verified, ${needed - tally.verified} more needed.`,
    }
  }
  const decided = tally.verified + tally.failures
  if (decided > 0 && tally.verified * 1000 < limits.successPermilleMin * decided) {
    const share = Math.floor((tally.verified * 1000) / decided) / 10
    return {
      answer: 'hold',
      because: `${share} % of the decided succeeded, ${limits.successPermilleMin / 10} % needed.`,
    }
  }
  return { answer: 'advance', because: `${tally.verified} of ${tally.countable} verified.` }
}

/** How many devices must be verified before the phase may go on; an empty phase needs none. */
export function devicesToAdvance(tally: PhaseTally, limits: PhaseLimits): number {
  return Math.ceil((tally.countable * limits.advanceAtPermille) / 1000)
}

/**
 * How many failures end the phase. Where the cap is smaller than the budget it counts: with the cap used up by
 * failures nobody could install any more, and the phase would wait for ever. A budget of 0 tolerates nothing.
 */
export function failuresMax(limits: PhaseLimits): number {
  return Math.max(1, Math.min(limits.failureBudget, limits.inFlightMax))
}

/**
 * How many places of the cap are taken. A device that vanished in flight may be broken or just switched off: its place is
 * given back as long as the plan lets as many go quiet, and kept beyond that, or a version that kills devices would take
 * one after the other.
 */
export function placesTaken(
  { failures, inFlight, vanished }: Pick<PhaseTally, 'failures' | 'inFlight' | 'vanished'>,
  { silenceBudget }: Pick<PhaseLimits, 'silenceBudget'>,
): number {
  return failures + inFlight - Math.min(vanished, silenceBudget)
}

export function isBudgetSpent(tally: Pick<PhaseTally, 'failures'>, limits: PhaseLimits): boolean {
  return tally.failures >= failuresMax(limits)
}

function devices(count: number): string {
  return count === 1 ? '1 device' : `${count} devices`
}
