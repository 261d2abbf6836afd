import type { Assignment, Report } from '@bascule/contract/device/protocol.ts'
import { verifyAssignment } from '@bascule/trust/assignment.ts'
import { finishedKey, recordsOf } from '#/engine/engine.ts'
import type { Job } from '#/engine/job.ts'
import { plainText } from '#/engine/plain-text.ts'
import { reduceJob } from '#/engine/reduce.ts'
import type { World } from '#/engine/world.ts'
import { applyRecord, type AgentState, type JournalRecord } from '#/journal/state.ts'

/**
 * Takes a new desired state: jobs that are new begin, jobs that are gone end at the next safe place. Everything is
 * one frame of the journal. Answers why the assignment was refused, or null.
 */
export function takeAssignment(world: World, assignment: Assignment): string | null {
  const { identity, seenGeneration } = world.journal.state
  if (!identity) return 'This device is not enrolled.'
  const checked = verifyAssignment(assignment, {
    directorKey: identity.directorKey,
    device: identity.deviceId,
    lastGeneration: seenGeneration,
    now: Temporal.Instant.from(world.now()),
  })
  if (!checked.ok) return `${checked.error.code}: ${checked.error.message}`

  const generation = checked.value.version
  const wanted = Object.values(checked.value.targets)
  const collect = collector(world)
  collect.add({ t: 'assignment', assignment, generation })
  for (const job of Object.values(world.journal.state.jobs)) {
    const target = wanted.find(({ custom }) => custom.job === job.id)
    const event = target
      ? ({ kind: 'assigned-again', generation, custom: target.custom } as const)
      : ({ kind: 'withdrawn' } as const)
    collect.change(job, reduceJob(job, event, world.now()))
  }
  for (const { custom, hashes, length } of wanted) {
    const job = newJob(generation, custom, { sha256: hashes.sha256, length }, world.now())
    if (isKnown(world.journal.state, job)) continue
    collect.add({ t: 'job', job })
  }
  world.journal.append(...collect.records)
  return null
}

/** An assignment that is not obeyed is told, job by job, because the server waits for those jobs. */
export function reportRefusal(world: World, assignment: Assignment, why: string): void {
  const jobs = Object.values(assignment.signed.targets).map(({ custom }) => custom.job)
  const unknown = [...new Set(jobs)].filter((id) => !world.journal.state.jobs[id]).slice(0, 20)
  const records = unknown.map((job, index): JournalRecord => {
    const report: Report = {
      seq: world.journal.state.reportHigh + 1 + index,
      job,
      at: world.now(),
      step: 'needs-admin',
      stuck: { reason: 'trust', detail: plainText(why, 1000) },
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

function newJob(generation: number, custom: Job['custom'], manifest: Job['manifest'], nowIso: string): Job {
  return {
    id: custom.job,
    action: custom.action,
    release: custom.release,
    productLine: custom.productLine,
    activation: custom.activation,
    generation,
    manifest,
    custom,
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
