/** A device clock is never required to be right. This one follows the server, and never runs behind what was seen. */
export interface SoftClock {
  now(): string
  heard(serverTime: string): void
}

export interface ClockSource {
  /** Wall clock in milliseconds, as wrong as it may be. */
  readonly wallMs: () => number
  readonly monotonicMs: () => number
}

export const systemClock: ClockSource = { wallMs: () => Date.now(), monotonicMs: () => performance.now() }

export function createSoftClock(floor: () => string, source: ClockSource = systemClock): SoftClock {
  let heardAt: { serverMs: number; monotonicMs: number } | null = null
  return {
    now() {
      const ownMs = heardAt === null ? source.wallMs() : heardAt.serverMs + source.monotonicMs() - heardAt.monotonicMs
      return new Date(Math.max(ownMs, Date.parse(floor()))).toISOString()
    },
    heard(serverTime) {
      heardAt = { serverMs: Date.parse(serverTime), monotonicMs: source.monotonicMs() }
    },
  }
}
