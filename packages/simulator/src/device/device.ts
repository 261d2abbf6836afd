import type { Assignment, Report, TufKey } from '@bascule/contract/device/protocol.ts'
import type { KeyPair } from '@bascule/trust/keys.ts'
import type { FaultRates } from '#/habit/faults.ts'
import type { Habit } from '#/habit/habit.ts'
import type { InstalledRelease } from '@bascule/trust/client/authorisation-case.ts'
import type { SimJob } from './job.ts'

/** What all devices of a fleet have in common. */
export interface World {
  readonly seed: number
  readonly rates: FaultRates
  /** Every signed request gets the next number; the first one of a run is above all that went before. */
  readonly token: string
  /** Bytes of one package that is not really downloaded. */
  readonly nominalBytes: number
  /** Simulated seconds between check-ins; null obeys the server. */
  readonly intervalSeconds: number | null
  /** How a simulated moment is written in a request. */
  readonly stamp: (ms: number) => string
}

/** One virtual device. Immutable: what happens to it gives a new one. */
export interface Device {
  readonly index: number
  readonly name: string
  readonly habit: Habit
  readonly key: KeyPair
  readonly state: 'new' | 'pending' | 'active' | 'revoked'
  /** The only key whose assignments it obeys, pinned at enrolment. */
  readonly directorKey: TufKey | null
  readonly requestSeq: number
  readonly generation: number
  /** The newest one that it took. */
  readonly assignment: Assignment | null
  readonly jobs: readonly SimJob[]
  /** How often it was given each release. */
  readonly attempts: Readonly<Record<string, number>>
  /** Ids of jobs that have ended; a repeated assignment does not begin them again. */
  readonly finished: readonly string[]
  readonly installed: Readonly<Record<string, Installed>>
  /** By product line, what is there and what was kept to go back to. */
  readonly lines: Readonly<Record<string, InstalledLine>>
  /** The report ring: made and not yet known to be stored. */
  readonly reports: readonly Report[]
  readonly reportHigh: number
  /** Highest number that the server has acknowledged. */
  readonly acked: number
  readonly factsHash: string
  readonly factsHashTold: string
  readonly nextCheckInMs: number
  /** Nothing is heard of the device before; Infinity for ever. */
  readonly awayUntilMs: number
  /** Failed tries in a row to reach the server. */
  readonly failedTries: number
}

export interface InstalledLine {
  readonly installed: InstalledRelease
  readonly kept: InstalledRelease | null
}

export interface Installed {
  readonly version: string
  readonly versionBefore: string | null
}

/** When the device does something next: it tells its reports, checks in, or a step of a job is over. */
export function wakeAtMs(device: Device): number {
  if (device.state === 'revoked') return Infinity
  if (device.reports.length > 0) return device.awayUntilMs
  const job = Math.min(Infinity, ...device.jobs.map(({ untilMs }) => untilMs))
  return Math.max(device.awayUntilMs, Math.min(device.nextCheckInMs, job))
}
