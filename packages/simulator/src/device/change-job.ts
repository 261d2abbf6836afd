import { isTerminalStep } from '@bascule/domain/deliver/agent-step.ts'
import type { Device, World } from './device.ts'
import { factsOf, hashFacts } from './identity.ts'
import { interrupted, isReportable, type JobPace, type SimJob } from './job.ts'
import { installedAfter, linesAfter, reportOf } from './report.ts'

export function paceOf({ nominalBytes, stamp }: World, { habit }: Device): JobPace {
  return { habit, nominalBytes, stamp }
}

/** Puts a job in the place of what it was, with everything that follows: a report, new facts, a question, a death. */
export function changeJob(world: World, device: Device, before: SimJob, now: SimJob, nowMs: number): Device {
  if (now === before) return device
  const installed = installedAfter(device, now)
  const changed = { ...withInstalled(world, device, installed), lines: linesAfter(device, now) }
  const told = isReportable(before, now) ? withReport(world, changed, now, nowMs) : changed
  if (isTerminalStep(now.step)) return ended(told, now)
  const { dies } = now.faults
  const isDeath = dies?.step === now.step && before.step !== now.step && !now.hasDied
  const awayUntilMs = isDeath ? nowMs + (dies?.awaySeconds ?? 0) * 1000 : told.awayUntilMs
  const kept = isDeath ? interrupted(now, awayUntilMs, nowMs) : now
  return {
    ...told,
    awayUntilMs,
    jobs: told.jobs.map((job) => (job.id === kept.id ? kept : job)),
    // A job that stands ready asks at once.
    nextCheckInMs: now.step === 'ready' ? nowMs : told.nextCheckInMs,
  }
}

function withInstalled(world: World, device: Device, installed: Device['installed']): Device {
  if (installed === device.installed) return device
  const changed = { ...device, installed }
  return { ...changed, factsHash: hashFacts(factsOf(world.seed, changed)) }
}

function withReport(world: World, device: Device, job: SimJob, nowMs: number): Device {
  const report = reportOf(world, device, job, nowMs)
  return { ...device, reports: [...device.reports, report], reportHigh: report.seq }
}

const finishedKept = 50

function ended(device: Device, job: SimJob): Device {
  return {
    ...device,
    jobs: device.jobs.filter(({ id }) => id !== job.id),
    finished: [...device.finished, job.id].slice(-finishedKept),
  }
}
