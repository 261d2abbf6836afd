import type { AdminReason, AgentStep } from '@bascule/domain/deliver/agent-step.ts'
import { lockOwner } from './data-lock.ts'
import type { Job } from './engine/job.ts'
import { readJournal } from './journal/journal.ts'
import type { AgentState } from './journal/state.ts'
import type { Platform } from './platform/platform.ts'

export interface Status {
  readonly enrolled: boolean
  readonly server: string | null
  readonly deviceId: string | null
  readonly name: string | null
  /** Process that runs the agent; null when it does not run. */
  readonly process: number | null
  readonly runs: readonly {
    readonly package: string
    readonly version: string
    readonly release: string
    readonly activation: string
    readonly since: string
    readonly canReturnTo: string | null
  }[]
  readonly jobs: readonly {
    readonly id: string
    readonly action: string
    readonly release: string
    readonly step: AgentStep
    readonly says: string
  }[]
  readonly untoldReports: number
  readonly journal: string
}

/** Reads the journal without taking part: works while the agent runs and while it does not. */
export function readStatus(data: string, platform: Platform): Status {
  const state = readJournal(data)
  return {
    enrolled: state?.identity !== null && state?.identity !== undefined,
    server: state?.identity?.server ?? null,
    deviceId: state?.identity?.deviceId ?? null,
    name: state?.identity?.name ?? null,
    process: lockOwner(data, platform),
    runs: state ? runsOf(state) : [],
    jobs: state ? Object.values(state.jobs).map((job) => jobLine(job)) : [],
    untoldReports: state ? state.reports.filter(({ seq }) => seq > state.reportAcked).length : 0,
    journal: journalLine(state),
  }
}

function journalLine(state: AgentState | null): string {
  if (!state) return 'missing or damaged; the agent rebuilds it when it starts'
  return state.rebuilt === null ? 'good' : `rebuilt at ${state.rebuilt.at} (${state.rebuilt.why})`
}

function runsOf(state: AgentState): Status['runs'] {
  return Object.values(state.installed).flatMap(({ packages, release, activation, since, previous }) =>
    packages.map((entry) => ({
      package: entry.name,
      version: entry.version,
      release,
      activation,
      since,
      canReturnTo: previous?.packages.find(({ name }) => name === entry.name)?.version ?? null,
    })),
  )
}

function jobLine(job: Job): Status['jobs'][number] {
  const { id, action, release, step } = job
  return { id, action, release, step, says: sayJob(job) }
}

/** One job in words: what it does or waits for, why, since when, and what ends it. Pure. */
export function sayJob(job: Job): string {
  if (job.stuck) return `needs a person (${adminWords[job.stuck.reason]}): ${job.stuck.detail}`
  if (job.wait) {
    const { detail, since, wakesOn } = job.wait
    return `waits since ${since}: ${detail.replace(/\.$/, '')}. Goes on by itself when ${wakesOn}.`
  }
  return stepWords[job.step]
}

const stepWords: Record<AgentStep, string> = {
  received: 'was received and is looked at next',
  precheck: 'is looked at: permit, variant, space, conflicts',
  downloading: 'is being downloaded',
  downloaded: 'is downloaded and is unpacked beside the running version next',
  staged: 'is ready beside the running version',
  ready: 'is ready and asks the server whether it may install now',
  quiesce: 'is about to install',
  installing: 'is being installed',
  switching: 'is being made the running version',
  rebooting: 'waits for the restart of the machine',
  checking: 'is installed and is being checked',
  probation: 'is installed and is being watched',
  committed: 'is done',
  'rolling-back': 'failed and is going back to the version before',
  'rolled-back': 'went back to the version before',
  'failed-unchanged': 'failed; nothing was changed',
  'already-present': 'had nothing to do',
  'not-applicable': 'does not concern this device',
  cancelled: 'was withdrawn',
  'needs-admin': 'needs a person',
}

const adminWords: Record<AdminReason, string> = {
  storage: 'the storage fails',
  trust: 'not permitted',
  content: 'wrong content',
  rights: 'a right is missing',
  conflict: 'a conflict',
  'unknown-state': 'an unknown state',
  health: 'the new version is not healthy',
  broken: 'going back failed',
  journal: 'the journal',
  installer: 'no such installer',
}

export function describeStatus(status: Status): string {
  if (!status.enrolled) return `This device is not enrolled. Journal: ${status.journal}.\n`
  const lines = [
    `Device ${status.name ?? ''} (${status.deviceId?.slice(0, 12) ?? ''}…) of ${status.server ?? ''}`,
    status.process === null ? 'The agent does not run.' : `The agent runs (process ${status.process}).`,
    '',
    ...(status.runs.length === 0 ? ['Runs nothing yet.'] : status.runs.map(sayRun)),
    '',
    ...(status.jobs.length === 0 ? ['Waits for nothing.'] : status.jobs.map(sayJobLine)),
  ]
  if (status.untoldReports > 0) lines.push(`${status.untoldReports} reports are still to be told to the server.`)
  if (status.journal !== 'good') lines.push(`Journal: ${status.journal}.`)
  return `${lines.join('\n')}\n`
}

function sayRun(run: Status['runs'][number]): string {
  const back = run.canReturnTo === null ? '' : `, can go back to ${run.canReturnTo}`
  return `Runs ${run.package} ${run.version} (release ${run.release}, ${run.activation}) since ${run.since}${back}.`
}

function sayJobLine(job: Status['jobs'][number]): string {
  return `Job ${job.id}, ${job.action} of release ${job.release}: ${job.says}`
}
