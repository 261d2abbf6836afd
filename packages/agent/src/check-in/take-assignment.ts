import type {
  Assignment,
  AssignmentSigned,
  AuthorityRefused,
  Report,
  TufKey,
} from '@bascule/contract/device/protocol.ts'
import { ok, refuse, type Result } from '@bascule/domain/lib/result.ts'
import { verifyAssignment, type AssignmentRefusalCode } from '@bascule/trust/assignment.ts'
import type { AuthorityCode } from '@bascule/trust/client/refusal.ts'
import { finishedKey, recordsOf } from '#/engine/engine.ts'
import type { Job } from '#/engine/job.ts'
import { plainText } from '#/engine/plain-text.ts'
import { reduceJob } from '#/engine/reduce.ts'
import type { World } from '#/engine/world.ts'
import { applyRecord, type AgentState, type JournalRecord } from '#/journal/state.ts'

/**
 * Takes a new desired state: jobs that are new begin, jobs that are gone end at the next safe place. Everything is
 * one frame of the journal. Answers why the assignment was refused, or null. This is the coarse sieve that keeps noise
 * out of the journal; whether a job may do anything is asked when it is planned and when it installs.
 */
export function takeAssignment(world: World, assignment: Assignment): NotObeyed | null {
  const checked = checkAssignment(world, assignment)
  if (!checked.ok) return checked.error

  const generation = checked.value.version
  const wanted = Object.entries(checked.value.targets).map(([path, target]) => ({ path, ...target }))
  const collect = collector(world)
  collect.add({ t: 'assignment', assignment, generation })
  for (const job of Object.values(world.journal.state.jobs)) {
    const target = wanted.find(({ custom }) => custom.job === job.id)
    const event = target
      ? ({ kind: 'assigned-again', generation, custom: target.custom } as const)
      : ({ kind: 'withdrawn' } as const)
    collect.change(job, reduceJob(job, event, world.now()))
  }
  for (const { path, custom, hashes, length } of wanted) {
    const job = newJob({ generation, path, custom, manifest: { sha256: hashes.sha256, length } }, world.now())
    if (isKnown(world.journal.state, job)) continue
    collect.add({ t: 'job', job })
  }
  world.journal.append(...collect.records)
  return null
}

/** Why an assignment is not obeyed, in words and for programs. */
export interface NotObeyed {
  readonly detail: string
  readonly refusal: AuthorityRefused
}

/** By the director that the custodians name, or, while nothing of theirs is known, by the one of the enrolment. */
function checkAssignment(world: World, assignment: Assignment): Result<AssignmentSigned, NotObeyed> {
  const { identity, seenGeneration } = world.journal.state
  if (!identity) return refuse({ detail: 'This device is not enrolled.', refusal: refusedBy('threshold') })
  const named: TufKey[] = Object.values(world.authority.known()?.director.keys ?? {})
  const answers = (named.length > 0 ? named : [identity.directorKey]).map((directorKey) =>
    verifyAssignment(assignment, {
      directorKey,
      device: identity.deviceId,
      lastGeneration: seenGeneration,
      now: Temporal.Instant.from(world.now()),
    }),
  )
  const found =
    answers.find((answer) => answer.ok) ??
    answers.find((answer) => !answer.ok && answer.error.code !== 'threshold') ??
    answers[0]
  if (found?.ok) return ok(found.value)
  const { code, message } = found?.error ?? { code: 'threshold' as const, message: 'No director is known.' }
  return refuse({ detail: message, refusal: refusedBy(code) })
}

function refusedBy(code: AssignmentRefusalCode): AuthorityRefused {
  const [name, rule] = ruleOf[code] ?? (['DIRECTOR', 'director-signed'] as const)
  return { code: name, rule }
}

/** The same words as the full check has for it. */
const ruleOf: Partial<Record<AssignmentRefusalCode, readonly [AuthorityCode, string]>> = {
  'too-many-targets': ['TOOMANY', 'assignment-lists-few'],
  malformed: ['FORM', 'assignment-has-a-form'],
  path: ['PATH', 'paths-have-a-shape'],
  device: ['DEVICE', 'assignment-is-for-this-device'],
  replay: ['REPLAY', 'assignment-is-not-older'],
  expiry: ['STALE', 'assignment-is-alive'],
  expired: ['STALE', 'assignment-is-alive'],
  lifetime: ['EXPIRES', 'assignment-lifetime-in-bounds'],
}

/** An assignment that is not obeyed is told, job by job, because the server waits for those jobs. */
export function reportRefusal(world: World, assignment: Assignment, { detail, refusal }: NotObeyed): void {
  const jobs = Object.values(assignment.signed.targets).map(({ custom }) => custom.job)
  const unknown = [...new Set(jobs)].filter((id) => !world.journal.state.jobs[id]).slice(0, 20)
  const records = unknown.map((job, index): JournalRecord => {
    const report: Report = {
      seq: world.journal.state.reportHigh + 1 + index,
      job,
      at: world.now(),
      step: 'needs-admin',
      stuck: { reason: 'trust', detail: plainText(detail, 1000), refusal },
      notes: [],
    }
    return { t: 'report', report }
  })
  if (records.length > 0) world.journal.append(...records)
}

/** Report numbers follow each other, so each change is computed on the state that the ones before it leave. */
function collector(world: World) {
  const records: JournalRecord[] = []
  let state = world.journal.state
  const add = (record: JournalRecord): void => {
    records.push(record)
    state = applyRecord(state, record)
  }
  return {
    records,
    add,
    change(before: Job, next: Job) {
      if (next === before) return
      const view: World = { ...world, journal: { ...world.journal, state, blind: null } }
      for (const record of recordsOf(view, before, next)) add(record)
    },
  }
}

function newJob(
  { generation, path, custom, manifest }: Pick<Job, 'generation' | 'custom' | 'manifest'> & { readonly path: string },
  nowIso: string,
): Job {
  return {
    id: custom.job,
    action: custom.action,
    release: custom.release,
    productLine: custom.productLine,
    activation: custom.activation,
    generation,
    manifest,
    custom,
    path,
    step: 'received',
    startedAt: nowIso,
    verification: [],
    notes: [],
    restarts: 0,
  }
}

function isKnown(state: AgentState, job: Job): boolean {
  return state.jobs[job.id] !== undefined || state.finished.includes(finishedKey(job))
}
