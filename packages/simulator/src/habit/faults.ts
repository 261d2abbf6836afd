import { lot } from './lot.ts'

/** How often each kind of trouble happens, in thousandths. The first four are asked once per job, the others per request. */
export interface FaultRates {
  /** The health command of the new version fails; the device goes back and says so. */
  readonly health: number
  /** The disk is full for a while; the job waits and goes on by itself. */
  readonly disk: number
  /** The device is not heard of any more. */
  readonly silent: number
  /** The device dies in the middle of the job and comes back later. */
  readonly crash: number
  /** The very same request goes out twice. */
  readonly repeat: number
  /** The answer to reports is lost; they are sent again. */
  readonly lostAck: number
  /** So many times each job changes between a full disk and a lost network, and tells each change: a load, not a habit. */
  readonly flaps: number
}

export const noFaults: FaultRates = { health: 0, disk: 0, silent: 0, crash: 0, repeat: 0, lostAck: 0, flaps: 0 }

/** What a fleet of ordinary machines does. */
export const usualFaults: FaultRates = { health: 5, disk: 20, silent: 5, crash: 10, repeat: 5, lostAck: 5, flaps: 0 }

/** What goes wrong with one job on one device; decided by seed, device, release and attempt, and by nothing else. */
export interface JobFaults {
  readonly failsHealth: boolean
  /** Simulated seconds for which the disk is full; 0 when it is not. */
  readonly diskFullSeconds: number
  readonly flaps: number
  /** The step in which the device dies, and for how many simulated seconds it is away. */
  readonly dies: { readonly step: 'downloading' | 'installing'; readonly awaySeconds: number } | null
}

export interface JobOnDevice {
  readonly device: number
  readonly release: string
  /** How often the device was given this release, from 1. */
  readonly attempt: number
}

export function jobFaultsOf(rates: FaultRates, seed: number, job: JobOnDevice): JobFaults {
  const draw = (question: string): number => lot(seed, `${question} ${job.release}`, job.device, job.attempt)
  const is = (permille: number, question: string): boolean => draw(question) * 1000 < permille
  return {
    failsHealth: is(rates.health, 'health'),
    flaps: rates.flaps,
    diskFullSeconds: is(rates.disk, 'disk') ? 60 + 1800 * draw('disk-seconds') : 0,
    dies: is(rates.silent, 'silent')
      ? { step: deathStep(draw), awaySeconds: Infinity }
      : is(rates.crash, 'crash')
        ? { step: deathStep(draw), awaySeconds: 20 + 300 * draw('away-seconds') }
        : null,
  }
}

function deathStep(draw: (question: string) => number): 'downloading' | 'installing' {
  return draw('death-step') < 0.5 ? 'downloading' : 'installing'
}
