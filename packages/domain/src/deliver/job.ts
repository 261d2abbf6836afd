import { unreachable } from '../lib/result.ts'
import type { AgentStep, WaitReason } from './agent-step.ts'

/**
 * The server's view of one release on one device. A device has at most one current job per rollout; a retry or a
 * back-out is a new job that takes its place, so counting jobs never counts a device twice.
 */
export const jobStates = [
  'assigned',
  'offered',
  'deferred',
  'notified',
  'accepted',
  'downloading',
  'download-waiting',
  'staged',
  'installing',
  'interrupted',
  'recovering',
  'awaiting-restart',
  'verifying',
  'held',
  'succeeded',
  'rolling-back',
  'rolled-back',
  'blocked',
  'failed-retryable',
  'failed-needs-human',
  'excused',
  'not-applicable',
  'already-present',
  'cancelled',
  'superseded',
] as const
export type JobState = (typeof jobStates)[number]

export const jobActions = ['install', 'back-out', 'remove'] as const
export type JobAction = (typeof jobActions)[number]

/** What one device contributes to the conservation sum (I17). Every device of the audience is in exactly one. */
export const buckets = [
  'succeeded',
  'already-present',
  'rolled-back',
  'failed',
  'silent',
  'blocked',
  'in-progress',
  'not-started',
  'excused',
  'not-applicable',
  'cancelled',
  'superseded',
] as const
export type Bucket = (typeof buckets)[number]

/**
 * The one total map from the agent's step to the server's state (settled: two machines, one function).
 * A finished back-out counts as rolled back: the device is again where it was.
 */
export function jobStateFromStep(action: JobAction, step: AgentStep, wait?: WaitReason): JobState {
  if (wait !== undefined) return waitingState(action, step, wait)
  switch (step) {
    case 'received':
    case 'precheck':
      return 'accepted'
    case 'downloading':
    case 'downloaded':
      return 'downloading'
    case 'staged':
    case 'ready':
      return 'staged'
    case 'quiesce':
    case 'installing':
    case 'switching':
      return 'installing'
    case 'rebooting':
      return 'awaiting-restart'
    case 'checking':
      return 'verifying'
    case 'probation':
      return 'held'
    case 'committed':
      return action === 'back-out' ? 'rolled-back' : 'succeeded'
    case 'rolling-back':
      return 'rolling-back'
    case 'rolled-back':
      return 'rolled-back'
    case 'failed-unchanged':
    case 'needs-admin':
      return 'failed-needs-human'
    case 'already-present':
      return 'already-present'
    case 'not-applicable':
      return 'not-applicable'
    case 'cancelled':
      return 'cancelled'
    default:
      return unreachable(step)
  }
}

/**
 * A wait before the install is `blocked` or, on the way down, `download-waiting`; asking at the gate is just `staged`.
 * A device that waits in the middle of its install goes on without asking, so it stays in flight and in the count.
 */
function waitingState(action: JobAction, step: AgentStep, wait: WaitReason): JobState {
  if (step === 'downloading' && wait !== 'disk') return 'download-waiting'
  if (step === 'ready' && wait === 'gate') return 'staged'
  const standing = jobStateFromStep(action, step)
  return isInFlight(standing) || isFinished(standing) ? standing : 'blocked'
}

/** Between the server's "install now" and the end: something on the device may be changing. */
export function isInFlight(state: JobState): boolean {
  switch (state) {
    case 'installing':
    case 'interrupted':
    case 'recovering':
    case 'awaiting-restart':
    case 'verifying':
    case 'held':
    case 'rolling-back':
      return true
    case 'assigned':
    case 'offered':
    case 'deferred':
    case 'notified':
    case 'accepted':
    case 'downloading':
    case 'download-waiting':
    case 'staged':
    case 'succeeded':
    case 'rolled-back':
    case 'blocked':
    case 'failed-retryable':
    case 'failed-needs-human':
    case 'excused':
    case 'not-applicable':
    case 'already-present':
    case 'cancelled':
    case 'superseded':
      return false
    default:
      return unreachable(state)
  }
}

const finished = new Set<JobState>([
  'succeeded',
  'rolled-back',
  'excused',
  'not-applicable',
  'already-present',
  'cancelled',
  'superseded',
])

/** Whether the job has come to its end; only a new job takes the device further. */
export function isFinished(state: JobState): boolean {
  return finished.has(state)
}

/**
 * What a report makes of a job. A finished job stays as it is. A device that was let through stays in flight when an
 * earlier report comes late: taking it out of the count would let another one through above the cap.
 */
export function stateAfterReport(current: JobState, reported: JobState): JobState {
  if (isFinished(current)) return current
  if (isInFlight(current) && isBeforeInstall(reported)) return current
  return reported
}

function isBeforeInstall(state: JobState): boolean {
  return (
    state === 'accepted' ||
    state === 'downloading' ||
    state === 'download-waiting' ||
    state === 'staged' ||
    state === 'blocked'
  )
}

/** Whether the device has yet to do something for this job. A finished job is left only by a new one. */
export function isOpen(state: JobState): boolean {
  return bucketOf(state) === 'in-progress' || bucketOf(state) === 'blocked' || state === 'failed-retryable'
}

export function bucketOf(state: JobState): Exclude<Bucket, 'silent' | 'not-started'> {
  switch (state) {
    case 'assigned':
    case 'offered':
    case 'deferred':
    case 'notified':
    case 'accepted':
    case 'downloading':
    case 'download-waiting':
    case 'staged':
    case 'installing':
    case 'interrupted':
    case 'recovering':
    case 'awaiting-restart':
    case 'verifying':
    case 'held':
    case 'rolling-back':
      return 'in-progress'
    case 'failed-retryable':
    case 'failed-needs-human':
      return 'failed'
    case 'succeeded':
    case 'rolled-back':
    case 'blocked':
    case 'excused':
    case 'not-applicable':
    case 'already-present':
    case 'cancelled':
    case 'superseded':
      return state
    default:
      return unreachable(state)
  }
}

/**
 * Whether a back-out has to turn the device around: it has the release, may have it, or is on the way to it. Who had
 * it already has it from an earlier job of this rollout; who was excused or stuck may have installed all the same.
 */
export function needsReturn(state: JobState): boolean {
  return (
    isInFlight(state) ||
    state === 'succeeded' ||
    state === 'already-present' ||
    state === 'excused' ||
    state === 'failed-needs-human'
  )
}

/** Whether a phase that goes back waits for this device: all that a back-out turns around but those whom a person excused. */
export function awaitsReturn(state: JobState): boolean {
  return state !== 'excused' && (needsReturn(state) || isOpen(state))
}

/** What counts against the failure budget: a person is needed, or the device went back by itself. A planned back-out does not. */
export function isFailure(action: JobAction, state: JobState): boolean {
  if (state === 'failed-needs-human' || state === 'failed-retryable') return true
  return action === 'install' && state === 'rolled-back'
}

/** Whose turn it is when a job does not go on: the device's own, its user's, the service desk's or an engineer's. */
export type TurnClass = 'heals-itself' | 'user' | 'desk' | 'engineer'

export function turnClass(wait: WaitReason | null, stuck: string | null): TurnClass {
  if (stuck !== null) return stuck === 'rights' || stuck === 'conflict' ? 'desk' : 'engineer'
  if (wait === 'disk' || wait === 'app' || wait === 'user') return 'user'
  if (wait === 'power') return 'user'
  return 'heals-itself'
}
