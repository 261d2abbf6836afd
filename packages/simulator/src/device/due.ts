import {
  devicePaths,
  deviceProtocolVersion,
  type CheckIn,
  type Enrol,
  type Reports,
} from '@bascule/contract/device/protocol.ts'
import { signEnrolProof } from '@bascule/trust/enrol-proof.ts'
import { onlineFromMs } from '#/habit/habit.ts'
import type { Device, World } from './device.ts'
import { agentVersion, factsOf } from './identity.ts'
import { nextStep, type SimJob } from './job.ts'
import { changeJob, paceOf } from './change-job.ts'

/** What a device wants to say now. */
export type Request =
  | { readonly kind: 'enrol'; readonly path: string; readonly body: Enrol }
  | { readonly kind: 'check-in'; readonly path: string; readonly body: CheckIn }
  | { readonly kind: 'reports'; readonly path: string; readonly body: Reports }

export interface Due {
  readonly device: Device
  readonly request: Request | null
}

const reportsPerRequest = 100

/** The device at the moment when it is due: steps that are over end, and what it has to say goes out. Pure. */
export function due(world: World, device: Device, nowMs: number): Due {
  const onlineMs = onlineFromMs(device.habit, nowMs)
  if (onlineMs > nowMs) return { device: { ...device, awayUntilMs: onlineMs }, request: null }
  const settled = settleJobs(world, device, nowMs)
  if (settled.awayUntilMs > nowMs) return { device: settled, request: null }
  if (settled.state === 'new') return { device: settled, request: enrolRequest(world, settled, nowMs) }
  if (settled.reports.length > 0) return reportsRequest(settled)
  return settled.nextCheckInMs <= nowMs ? checkInRequest(world, settled) : { device: settled, request: null }
}

function settleJobs(world: World, device: Device, nowMs: number): Device {
  let current = device
  for (const { id } of device.jobs) {
    for (let job = jobOf(current, id); job && job.untilMs <= nowMs; job = jobOf(current, id)) {
      // A job that flaps tells each change by itself before the next one comes.
      if (current.awayUntilMs > nowMs || (job.flapsLeft > 0 && current.reports.length > 0)) return current
      current = changeJob(world, current, job, nextStep(job, paceOf(world, current)), nowMs)
    }
  }
  return current
}

function jobOf(device: Device, id: string): SimJob | undefined {
  return device.jobs.find((job) => job.id === id)
}

function enrolRequest({ seed, token, stamp }: World, device: Device, nowMs: number): Request {
  const createdAt = stamp(nowMs)
  const body: Enrol = {
    protocol: deviceProtocolVersion,
    token,
    publicKey: device.key.publicKey,
    name: device.name,
    agentVersion,
    facts: factsOf(seed, device),
    createdAt,
    proof: signEnrolProof(device.key, { token, createdAt }),
  }
  return { kind: 'enrol', path: devicePaths.enrol, body }
}

function reportsRequest(device: Device): Due {
  const seq = device.requestSeq + 1
  const reports = device.reports.slice(0, reportsPerRequest)
  const body: Reports = { protocol: deviceProtocolVersion, seq, reports, low: reports[0]?.seq }
  return { device: { ...device, requestSeq: seq }, request: { kind: 'reports', path: devicePaths.reports, body } }
}

function checkInRequest({ seed }: World, device: Device): Due {
  const seq = device.requestSeq + 1
  const isNews = device.factsHash !== device.factsHashTold
  const body: CheckIn = {
    protocol: deviceProtocolVersion,
    seq,
    generation: device.generation,
    agentVersion,
    factsHash: device.factsHash,
    ...(isNews ? { facts: factsOf(seed, device) } : {}),
    jobs: device.jobs.map(({ id, step, wait }) => ({ id, step, ...(wait ? { wait } : {}) })),
    ask: device.jobs.filter(({ step }) => step === 'ready').map(({ id }) => id),
    reportHigh: device.reportHigh,
  }
  return { device: { ...device, requestSeq: seq }, request: { kind: 'check-in', path: devicePaths.checkIn, body } }
}
