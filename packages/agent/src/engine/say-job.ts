import type { AdminReason, AgentStep } from '@bascule/domain/deliver/agent-step.ts'
import type { Job } from './job.ts'

/** One job in words: what it does or waits for, why, since when, and what ends it. Pure. */
export function sayJob(job: Job): string {
  if (job.stuck) return sayStuck(job.stuck)
  if (job.wait) return `waits since ${job.wait.since}: ${sayWait(job.wait)}`
  return stepWords[job.step]
}

/** What is in the way, and what ends the wait. */
export function sayWait({ detail, wakesOn }: NonNullable<Job['wait']>): string {
  return `${detail.replace(/\.$/, '')}. Goes on by itself when ${wakesOn}.`
}

export function sayStuck({ reason, detail }: NonNullable<Job['stuck']>): string {
  return `needs a person (${adminWords[reason]}): ${detail}`
}

/** Which job is spoken of: `Job 9, install of release r2 of tools`. */
export function nameJob({ id, action, release, productLine }: Omit<JobName, 'productLine'> & Partial<JobName>): string {
  const what = { install: 'install', 'back-out': 'back-out', remove: 'removal' }[action]
  return `Job ${id}, ${what} of release ${release}${productLine === undefined ? '' : ` of ${productLine}`}`
}

/** With a full stop, unless its end is told already. */
export function endSentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`
}

type JobName = Pick<Job, 'id' | 'action' | 'release' | 'productLine'>

export const stepWords: Record<AgentStep, string> = {
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
  committed: 'is done and verified',
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
