import type { AgentStep } from '@bascule/domain/deliver/agent-step.ts'

/** What a run came to; the summary is made of it. */
export interface Tally {
  checkIns: number
  reportRequests: number
  reportsAcked: number
  enrolled: number
  /** Requests that nobody answered. */
  unanswered: number
  /** Requests that were sent a second time, and how many of them the server took twice. */
  repeated: number
  repeatsAccepted: number
  acksLost: number
  assignments: number
  readonly problems: Record<string, number>
  readonly outcomes: Partial<Record<AgentStep, number>>
  readonly latency: Latency
}

export interface Latency {
  add(ms: number): void
  /** Milliseconds under which this share of the answers came. */
  quantile(share: number): number
}

export function createTally(): Tally {
  return {
    checkIns: 0,
    reportRequests: 0,
    reportsAcked: 0,
    enrolled: 0,
    unanswered: 0,
    repeated: 0,
    repeatsAccepted: 0,
    acksLost: 0,
    assignments: 0,
    problems: {},
    outcomes: {},
    latency: createLatency(),
  }
}

/** Buckets of five per cent: enough for a quantile, and of one size however long the run is. */
function createLatency(): Latency {
  const buckets = new Uint32Array(400)
  const step = Math.log(1.05)
  let count = 0
  return {
    add(ms) {
      const at = Math.min(buckets.length - 1, Math.max(0, Math.round(Math.log(Math.max(ms, 0.01) / 0.01) / step)))
      buckets[at] = (buckets[at] ?? 0) + 1
      count += 1
    },
    quantile(share) {
      let seen = 0
      for (const [at, devices] of buckets.entries()) {
        seen += devices
        if (count > 0 && seen >= share * count) return Math.round(0.01 * Math.exp(at * step) * 100) / 100
      }
      return 0
    },
  }
}
