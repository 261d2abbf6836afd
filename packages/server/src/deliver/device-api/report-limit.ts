/** More than an agent holds after weeks away, so that it can tell all of it at once. */
const reportsAtOnce = 2000
/** Afterwards: ten times what a busy device has to say. */
const reportsPerSecond = 0.5
/** Beyond so many devices, those that may tell all again are forgotten. */
const devicesRemembered = 10_000

/** How many reports of a device are still stored, so that one that never ends cannot fill the database. In memory only. */
export interface ReportLimit {
  /** How many of this many may be stored now; they are counted. */
  take(deviceIndex: number, count: number, nowMs: number): number
  /** Seconds until the next one may be stored. */
  retryAfterSeconds(deviceIndex: number, nowMs: number): number
}

interface Allowance {
  readonly left: number
  readonly atMs: number
}

export function createReportLimit(): ReportLimit {
  const allowances = new Map<number, Allowance>()
  let sweepAt = devicesRemembered

  /** Goes through all of them only after they have doubled, so that a large fleet that is busy pays once for each device. */
  function sweep(nowMs: number): void {
    if (allowances.size < sweepAt) return
    forgetFull(allowances, nowMs)
    sweepAt = Math.max(devicesRemembered, 2 * allowances.size)
  }

  function leftOf(deviceIndex: number, nowMs: number): number {
    const known = allowances.get(deviceIndex)
    return known === undefined ? reportsAtOnce : grown(known, nowMs)
  }

  return {
    take(deviceIndex, count, nowMs) {
      const left = leftOf(deviceIndex, nowMs)
      const taken = Math.min(count, Math.floor(left))
      sweep(nowMs)
      if (taken > 0) allowances.set(deviceIndex, { left: left - taken, atMs: nowMs })
      return taken
    },
    retryAfterSeconds: (deviceIndex, nowMs) =>
      Math.max(1, Math.ceil((1 - leftOf(deviceIndex, nowMs)) / reportsPerSecond)),
  }
}

function grown({ left, atMs }: Allowance, nowMs: number): number {
  return Math.min(reportsAtOnce, left + (Math.max(0, nowMs - atMs) / 1000) * reportsPerSecond)
}

function forgetFull(allowances: Map<number, Allowance>, nowMs: number): void {
  for (const [device, known] of allowances) if (grown(known, nowMs) >= reportsAtOnce) allowances.delete(device)
}
