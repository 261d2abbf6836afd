import type { AssignmentCustom, AuthorisedBy, Wait } from '@bascule/contract/device/protocol.ts'
import type { ReleaseManifest } from '@bascule/contract/device/release-manifest.ts'
import { isTerminalStep, type AgentStep } from '@bascule/domain/deliver/agent-step.ts'
import type { JobFaults } from '#/habit/faults.ts'
import type { Habit } from '#/habit/habit.ts'

/** A job on a virtual device. Steps take their time and nothing else: no byte is written. */
export interface SimJob {
  readonly id: string
  readonly custom: AssignmentCustom
  readonly generation: number
  readonly manifestSha256: string
  readonly manifest: ReleaseManifest
  readonly faults: JobFaults
  /** What the packages are before the job, by name. */
  readonly before: Readonly<Record<string, string | null>>
  readonly step: AgentStep
  /** Who let it through; missing while nobody has. */
  readonly authorisedBy?: AuthorisedBy
  /** When the step is over; Infinity while only the server or nobody can end it. */
  readonly untilMs: number
  readonly wait?: Wait
  readonly startedAtMs: number
  readonly notes: readonly string[]
  readonly hasDied: boolean
  /** Waits that come and go without end of their own; see `FaultRates.flaps`. */
  readonly flapsLeft: number
}

/** What steps cost on this device. */
export interface JobPace {
  readonly habit: Habit
  readonly nominalBytes: number
  readonly stamp: (ms: number) => string
}

/** The job when its step is over: the next step, begun at that moment. Must only be called when `untilMs` has come. */
export function nextStep(job: SimJob, pace: JobPace): SimJob {
  const atMs = job.untilMs
  if (job.step === 'received') {
    return job.faults.diskFullSeconds > 0 ? waitForDisk(job, pace, atMs) : download(job, pace, atMs)
  }
  if (job.step === 'downloading' && job.flapsLeft > 0) return flap(job, pace, atMs)
  if (job.step === 'downloading') return job.wait ? download(job, pace, atMs) : to(job, 'ready', Infinity)
  if (job.step === 'installing') return to(job, 'checking', atMs + pace.habit.checkSeconds * 1000)
  if (job.step === 'checking') return checked(job, pace, atMs)
  if (job.step === 'rolling-back') return to(job, 'rolled-back', Infinity)
  throw new Error(`A job in step ${job.step} has no end of its own`)
}

/** The server lets the job install. Does nothing to a job that is not asking. */
export function mayInstall(job: SimJob, pace: JobPace, nowMs: number): SimJob {
  return job.step === 'ready' ? to(job, 'installing', nowMs + pace.habit.installSeconds * 1000) : job
}

/** The server wants the job no more. One that has begun to install is carried to its end. */
export function withdraw(job: SimJob): SimJob {
  const hasBegun = job.step === 'installing' || job.step === 'checking' || job.step === 'rolling-back'
  return hasBegun || isTerminalStep(job.step) ? job : to(job, 'cancelled', Infinity)
}

/** The device was away until `backMs` and does the step again from its beginning. */
export function interrupted(job: SimJob, backMs: number, diedAtMs: number): SimJob {
  const notes = [...job.notes, `Interrupted in step ${job.step} and gone on.`]
  return { ...job, hasDied: true, notes, untilMs: backMs + (job.untilMs - diedAtMs) }
}

/** What goes into a report of its own; an agent tells everything else with its check-in. */
export function isReportable(before: SimJob, now: SimJob): boolean {
  if (now.step !== before.step && (isTerminalStep(now.step) || now.step === 'rolling-back')) return true
  if (now.step === 'needs-admin') return before.step !== 'needs-admin'
  return now.wait !== undefined && now.wait.reason !== before.wait?.reason
}

function download(job: SimJob, { habit, nominalBytes }: JobPace, atMs: number): SimJob {
  const seconds = job.custom.action === 'install' ? nominalBytes / habit.linkBytesPerSecond : 0
  return to(job, 'downloading', atMs + seconds * 1000)
}

function waitForDisk(job: SimJob, { nominalBytes, stamp }: JobPace, atMs: number): SimJob {
  const wait: Wait = {
    reason: 'disk',
    detail: `Disk full, ${Math.ceil(nominalBytes / 1e6)} MB needed, 3 MB free`,
    since: stamp(atMs),
    wakesOn: `free space reaches ${Math.ceil(nominalBytes / 1e6)} MB`,
  }
  return { ...to(job, 'downloading', atMs + job.faults.diskFullSeconds * 1000), wait }
}

function flap(job: SimJob, { stamp }: JobPace, atMs: number): SimJob {
  const reason = job.wait?.reason === 'disk' ? 'network' : 'disk'
  const wait: Wait = { reason, detail: `No ${reason} for a moment`, since: stamp(atMs), wakesOn: 'the next try' }
  return { ...job, wait, flapsLeft: job.flapsLeft - 1, untilMs: atMs }
}

function checked(job: SimJob, { habit }: JobPace, atMs: number): SimJob {
  if (!job.faults.failsHealth || job.custom.action !== 'install') return to(job, 'committed', Infinity)
  return job.manifest.autoBackout
    ? to(job, 'rolling-back', atMs + habit.checkSeconds * 1000)
    : to(job, 'needs-admin', Infinity)
}

function to(job: SimJob, step: AgentStep, untilMs: number): SimJob {
  const { wait: _ended, ...rest } = job
  return { ...rest, step, untilMs }
}
