/** Who asks for the time gets it from a clock, so that a simulation can own it. */
export interface Clock {
  now(): Temporal.Instant
}

/** The clock of the machine. */
export const systemClock: Clock = { now: () => Temporal.Now.instant() }

/** A clock that stands still until somebody moves it. */
export interface ManualClock extends Clock {
  advance(by: Temporal.DurationLike): void
  set(at: Temporal.Instant): void
}

export function manualClock(start: Temporal.Instant | string): ManualClock {
  let at = Temporal.Instant.from(start)
  return {
    now: () => at,
    advance: (by) => {
      at = at.add(by)
    },
    set: (next) => {
      at = next
    },
  }
}
