/** Lets a loop sleep until a time, until somebody rings, or until the agent is stopped. */
export interface Bell {
  ring(): void
  /** Null waits for the bell only. Throws the reason of the signal when the agent is stopped. */
  wait(timeoutMs: number | null, signal: AbortSignal): Promise<void>
}

/** Longer timers overflow and fire at once. */
const timerMaxMs = 2_000_000_000

export function createBell(): Bell {
  let rung = false
  let wake: (() => void) | null = null
  return {
    ring() {
      rung = true
      wake?.()
    },
    async wait(timeoutMs, signal) {
      signal.throwIfAborted()
      if (!rung) {
        const { promise, resolve } = Promise.withResolvers<void>()
        wake = resolve
        const timer = timeoutMs === null ? undefined : setTimeout(resolve, Math.min(timerMaxMs, timeoutMs))
        signal.addEventListener('abort', wake, { once: true })
        await promise
        signal.removeEventListener('abort', wake)
        clearTimeout(timer)
        wake = null
      }
      rung = false
      signal.throwIfAborted()
    },
  }
}
