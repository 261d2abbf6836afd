import type { AssignmentCustom, AuthorityRefused, Wait } from '@bascule/contract/device/protocol.ts'
import { isTerminalStep, type AdminReason, type AgentStep } from '@bascule/domain/deliver/agent-step.ts'
import { unreachable } from '@bascule/domain/lib/result.ts'
import type { Authorisation } from '#/authority/authorised-by.ts'
import type { Job, Outcome, Plan, VerificationResult } from './job.ts'
import { plainText } from './plain-text.ts'

/** Everything that can happen to a job. Effects report what came of them as one of these; nothing else moves a job. */
export type JobEvent =
  | { readonly kind: 'planned'; readonly plan: Plan; readonly authorisedBy: Authorisation }
  | { readonly kind: 'ended'; readonly outcome: Outcome; readonly cause: string; readonly plan?: Plan }
  | { readonly kind: 'fetched' }
  | { readonly kind: 'staged' }
  | { readonly kind: 'may-install' }
  | { readonly kind: 'installed'; readonly authorisedBy: Authorisation }
  | { readonly kind: 'permit-lapsed' }
  | { readonly kind: 'switched' }
  | { readonly kind: 'checked'; readonly verification: readonly VerificationResult[] }
  | { readonly kind: 'check-failed'; readonly verification: readonly VerificationResult[]; readonly cause: string }
  | { readonly kind: 'restored'; readonly verification: readonly VerificationResult[] }
  | { readonly kind: 'restore-failed'; readonly detail: string }
  | { readonly kind: 'waits'; readonly wait: Omit<Wait, 'since'> & { readonly needBytes?: number } }
  | {
      readonly kind: 'stuck'
      readonly reason: AdminReason
      readonly detail: string
      readonly refusal?: AuthorityRefused
    }
  | { readonly kind: 'withdrawn' }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'restarted' }
  | { readonly kind: 'noted'; readonly note: string }
  | { readonly kind: 'assigned-again'; readonly generation: number; readonly custom: AssignmentCustom }

/** What the agent does next for a job; null when it rests for good. */
export type Effect = 'plan' | 'fetch' | 'stage' | 'ask' | 'install' | 'switch' | 'check' | 'restore' | null

export const restartsMax = 3
const notesMax = 20

/**
 * Pure: the job after an event. A job in a terminal step never changes again; an event that does not belong to the
 * step is ignored, so that a late answer can never undo what was decided since.
 */
export function reduceJob(job: Job, event: JobEvent, nowIso: string): Job {
  if (isTerminalStep(job.step)) return job
  switch (event.kind) {
    case 'noted':
      return withNote(job, event.note)
    case 'assigned-again':
      return { ...job, generation: event.generation, custom: event.custom }
    case 'waits':
      return waiting(job, event.wait, nowIso)
    case 'stuck':
      return stuck(job, event.reason, event.detail, event.refusal)
    case 'withdrawn':
      return withdrawn(job)
    case 'stopped':
      return job.step === 'checking' ? { ...job, stoppedCleanly: true } : job
    case 'restarted':
      return restarted(job)
    case 'ended':
      return isBeforeChange(job) ? end(withPlan(job, event.plan), event.outcome, event.cause) : job
    case 'planned':
    case 'fetched':
    case 'staged':
    case 'may-install':
    case 'installed':
    case 'permit-lapsed':
    case 'switched':
    case 'checked':
    case 'check-failed':
    case 'restored':
    case 'restore-failed':
      return advance(job, event)
    default:
      return unreachable(event)
  }
}

/** Pure: the effect that brings the job on. Every effect may run twice. */
export function effectOf(job: Job): Effect {
  switch (job.step) {
    case 'received':
    case 'precheck':
      return 'plan'
    case 'downloading':
      return 'fetch'
    case 'downloaded':
      return 'stage'
    case 'staged':
    case 'ready':
      return 'ask'
    case 'quiesce':
    case 'installing':
      return 'install'
    case 'switching':
      return 'switch'
    case 'rebooting':
    case 'checking':
    case 'probation':
      return 'check'
    case 'rolling-back':
      return 'restore'
    case 'committed':
    case 'rolled-back':
    case 'failed-unchanged':
    case 'already-present':
    case 'not-applicable':
    case 'cancelled':
    case 'needs-admin':
      return null
    default:
      return unreachable(job.step)
  }
}

/** Nothing of the installed software was touched yet: the job can still be dropped without a trace. */
export function isBeforeChange(job: Job): boolean {
  const step = job.step === 'needs-admin' ? (job.stuckAt ?? 'received') : job.step
  // The first thing of an installation is the last look at the permit: who is refused there has changed nothing.
  if (step === 'installing' && (job.wait?.refusal ?? job.stuck?.refusal) !== undefined) return true
  return stepsBeforeChange.has(step)
}

const stepsBeforeChange = new Set<AgentStep>(['received', 'precheck', 'downloading', 'downloaded', 'staged', 'ready'])

type Progress = Extract<
  JobEvent,
  {
    kind:
      | 'planned'
      | 'fetched'
      | 'staged'
      | 'may-install'
      | 'installed'
      | 'permit-lapsed'
      | 'switched'
      | 'checked'
      | 'check-failed'
      | 'restored'
      | 'restore-failed'
  }
>

function advance(job: Job, event: Progress): Job {
  const effect = effectOf(job)
  switch (event.kind) {
    case 'planned':
      return effect === 'plan' ? to({ ...job, plan: event.plan, authorisedBy: event.authorisedBy }, 'downloading') : job
    case 'fetched':
      return effect === 'fetch' ? to(job, 'downloaded') : job
    case 'staged':
      return effect === 'stage' ? to(job, 'ready') : job
    case 'may-install':
      return effect === 'ask' ? to(job, 'installing') : job
    case 'installed':
      return effect === 'install' ? to({ ...job, authorisedBy: event.authorisedBy }, 'switching') : job
    case 'permit-lapsed':
      return effect === 'switch' ? to(job, 'installing') : job
    case 'switched':
      return effect === 'switch' ? to(job, 'checking') : job
    case 'checked':
      return effect === 'check' ? { ...end(job, 'committed', null), verification: plain(event.verification) } : job
    case 'check-failed':
      return effect === 'check' ? checkFailed(job, event) : job
    case 'restored':
      return effect === 'restore' ? restored(job, event.verification) : job
    case 'restore-failed':
      return effect === 'restore' ? stuck(job, 'broken', event.detail) : job
    default:
      return unreachable(event)
  }
}

/** An install goes back by itself when the release says so; everything else needs a person. */
function checkFailed(job: Job, event: Extract<JobEvent, { kind: 'check-failed' }>): Job {
  const failed = { ...job, cause: plainText(event.cause, 1000), verification: plain(event.verification) }
  if (job.action === 'install' && job.plan?.autoBackout === true) return to(failed, 'rolling-back')
  return stuck(failed, 'health', event.cause)
}

function restored(job: Job, verification: readonly VerificationResult[]): Job {
  return { ...end(job, 'rolled-back', job.cause ?? null), verification: [...job.verification, ...plain(verification)] }
}

/** Everything that others said enters a job here, so that nothing that cannot be signed is ever in one. */
function plain(verification: readonly VerificationResult[]): VerificationResult[] {
  return verification.map((result) => ({ ...result, detail: plainText(result.detail, 1000) }))
}

function withPlan(job: Job, plan: Plan | undefined): Job {
  return plan ? { ...job, plan } : job
}

function to(job: Job, step: AgentStep): Job {
  const { wait: _wait, stuck: _stuck, stuckAt: _stuckAt, ...rest } = job
  return { ...rest, step }
}

function end(job: Job, outcome: Outcome, cause: string | null): Job {
  const ended = to(job, outcome)
  return cause === null ? ended : { ...ended, cause: plainText(cause, 1000) }
}

/** The same reason keeps the time since when it holds; only the numbers in the sentence move. */
function waiting(job: Job, wait: Omit<Wait, 'since'>, nowIso: string): Job {
  if (effectOf(job) === null) return job
  const since = job.wait?.reason === wait.reason ? job.wait.since : nowIso
  const next = {
    ...job,
    wait: { ...wait, detail: plainText(wait.detail, 500), wakesOn: plainText(wait.wakesOn, 300), since },
  }
  // Nobody waits for a permit on behalf of a server that does not want the job any more.
  return job.withdrawn === true && isBeforeChange(next) ? withdrawn(next) : next
}

function stuck(job: Job, reason: AdminReason, detail: string, refusal?: AuthorityRefused): Job {
  if (job.step === 'needs-admin') return job
  return {
    ...to(job, 'needs-admin'),
    stuck: { reason, detail: plainText(detail, 1000), ...(refusal ? { refusal } : {}) },
    stuckAt: job.step,
  }
}

/** A job that may have changed something is finished or taken back, never dropped half way. */
function withdrawn(job: Job): Job {
  if (isBeforeChange(job)) return end(job, 'cancelled', 'The server withdrew the job before anything was installed.')
  if (job.step !== 'needs-admin') return { ...job, withdrawn: true }
  if (job.stuck?.reason === 'broken') {
    return end(job, 'cancelled', `The server withdrew the job; it was stuck: ${job.stuck.detail}`)
  }
  return to({ ...job, withdrawn: true, cause: job.cause ?? job.stuck?.detail ?? 'withdrawn' }, 'rolling-back')
}

/** An agent that dies again and again while the new version is checked is taken as the new version's doing. */
function restarted(job: Job): Job {
  if (job.step !== 'checking') {
    return isBeforeChange(job) || job.step === 'needs-admin'
      ? job
      : withNote(job, `The agent was interrupted in step ${job.step} and went on.`)
  }
  if (job.stoppedCleanly === true) return { ...job, stoppedCleanly: false }
  const again = { ...job, restarts: job.restarts + 1 }
  if (again.restarts < restartsMax || job.plan?.autoBackout !== true || job.action !== 'install') {
    return withNote(again, 'The agent was interrupted while checking and checked again.')
  }
  const cause = `The agent was interrupted ${again.restarts} times while checking the new version.`
  return to({ ...again, cause }, 'rolling-back')
}

function withNote(job: Job, note: string): Job {
  const text = plainText(note, 500)
  if (job.notes.includes(text) || job.notes.length >= notesMax) return job
  return { ...job, notes: [...job.notes, text] }
}
