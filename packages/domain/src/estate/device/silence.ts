/** A device may stay away this many times its habit before it counts as silent. */
const patienceFactor = 3
/** Longer pauses teach nothing: a weekend is not a habit. */
const longestHabitSeconds = 86_400

/**
 * How often this device comes, learnt from how long it just stayed away: a notebook that sleeps at night is given more
 * time than a till that never does. One long pause is forgotten over a few check-ins.
 */
export function nextHabit(habitSeconds: number, pauseSeconds: number): number {
  const pause = Math.min(Math.max(pauseSeconds, 0), longestHabitSeconds)
  return habitSeconds === 0 ? pause : habitSeconds + (pause - habitSeconds) / 8
}

/** The moment from which a device that says nothing is silent. `expectedSeconds` is what the server asked it to keep to. */
export function silentFromMs(lastSeenMs: number, habitSeconds: number, expectedSeconds: number): number {
  return lastSeenMs + Math.max(habitSeconds, expectedSeconds) * patienceFactor * 1000
}
