/** Simulated time. It may run faster than the real one, or stand still until somebody waits for a moment. */
export interface SimClock {
  nowMs(): number
  /** Calls `ring` once when that simulated moment has come; the answer cancels it. */
  alarm(ms: number, ring: () => void): () => void
  /** How a simulated moment is written in a request: as the real one, because the server lives in real time. */
  stamp(ms: number): string
}

/** Real time, `speed` times as fast. */
export function realClock(speed: number): SimClock {
  const realStartMs = Date.now()
  const startedAt = performance.now()
  const nowMs = (): number => realStartMs + (performance.now() - startedAt) * speed
  return {
    nowMs,
    alarm(ms, ring) {
      const realMs = Math.min(2 ** 31 - 1, Math.max(0, Math.ceil((ms - nowMs()) / speed)))
      const timer = setTimeout(ring, realMs)
      return () => clearTimeout(timer)
    },
    stamp: (ms) => new Date(realStartMs + (ms - realStartMs) / speed).toISOString(),
  }
}

/** Jumps to the moment that somebody waits for. With one request at a time every run is the same. */
export function virtualClock(startMs: number): SimClock {
  let atMs = startMs
  return {
    nowMs: () => atMs,
    alarm(ms, ring) {
      atMs = Math.max(atMs, ms)
      queueMicrotask(ring)
      return () => {}
    },
    stamp: (ms) => new Date(ms).toISOString(),
  }
}
