import { isTerminalStep } from '@bascule/domain/deliver/agent-step.ts'
import { recordsAfterInstall } from '#/authority/seen-memory.ts'
import type { JournalRecord } from '#/journal/state.ts'
import { runEffect } from './effects.ts'
import { classify, NetworkError, PoisonError } from './failure.ts'
import { installedAfter } from './installed-after.ts'
import type { Job } from './job.ts'
import { hexOf } from './plan-job.ts'
import { reportOf } from './receipt.ts'
import { effectOf, isBeforeChange, reduceJob, type JobEvent } from './reduce.ts'
import { nextDelayMs } from './retry.ts'
import { installedKey, type World } from './world.ts'

/** A go of the server is worth this long: longer and the world it was given for may be another one. */
const goodForMs = 60_000
const poisonPatienceMs = 24 * 3_600_000

export interface EngineOptions {
  readonly world: World
  /** No wait is longer than this between two looks. */
  readonly everyMs: number
  readonly random: () => number
  /** Called when the server should be asked or told something now. */
  readonly wantCheckIn: () => void
  /** Whether the last try to reach the server failed. */
  readonly isOffline: () => boolean
}

/**
 * Brings the jobs on, one effect at a time, each after its intent is durable. The engine is the only one that moves a
 * job; what the server says comes in as events.
 */
export interface Engine {
  /** Works until every job rests, waits or asks. */
  work(): Promise<void>
  /** Jobs that the boards have not let through look again now: there are newer files. */
  lookAgain(): void
  /** What the server answered to jobs that asked. */
  answer(proceed: readonly string[], hold: readonly { readonly job: string; readonly reason: string }[]): void
  /** Milliseconds until a waiting job wants another look; null when none does. */
  nextLookMs(): number | null
  dispatch(id: string, event: JobEvent): void
  /** After a start: what was interrupted is counted and goes on. */
  resume(): void
}

interface Retry {
  atMs: number
  delayMs: number
}

export function createEngine(options: EngineOptions): Engine {
  const { world } = options
  const retries = new Map<string, Retry>()
  const proceedAt = new Map<string, number>()
  const asked = new Set<string>()

  const jobs = (): Job[] => Object.values(world.journal.state.jobs)

  function dispatch(id: string, event: JobEvent): void {
    const job = world.journal.state.jobs[id]
    if (!job) return
    const next = reduceJob(job, event, world.now())
    if (next === job || isSame(job, next)) return
    world.journal.append(...recordsOf(world, job, next))
    if (next.step !== job.step) forget(id)
    if (isReportable(job, next)) options.wantCheckIn()
  }

  function forget(id: string): void {
    retries.delete(id)
    proceedAt.delete(id)
    asked.delete(id)
  }

  async function work(): Promise<void> {
    for (let job = nextJob(); job; job = nextJob()) {
      await step(job)
      world.signal.throwIfAborted()
    }
  }

  /** The first job that has something to do now. None while nothing can be made durable. */
  function nextJob(): Job | undefined {
    if (world.journal.blind !== null || world.journal.state.mustAdoptReportHigh) return undefined
    const now = performance.now()
    return jobs().find(
      (job) => effectOf(job) !== null && (retries.get(job.id)?.atMs ?? 0) <= now && !isAsking(job, now),
    )
  }

  function isAsking(job: Job, nowMs: number): boolean {
    if (effectOf(job) !== 'ask') return false
    const go = proceedAt.get(job.id)
    if (go !== undefined && nowMs - go < goodForMs) return false
    if (asked.has(job.id)) return !(job.plan?.offlineInstall === true && options.isOffline())
    return false
  }

  async function step(job: Job): Promise<void> {
    const effect = effectOf(job)
    if (effect === null) return
    if (effect === 'ask') {
      ask(job)
      return
    }
    const rival = rivalOf(job, jobs())
    if (rival) {
      postpone(job, {
        reason: 'lock',
        detail: `Job ${rival.id} of the same product line is not finished`,
        wakesOn: `job ${rival.id} ends`,
      })
      return
    }
    if (isDiskStillFull(job)) return
    const note = (text: string): void => {
      dispatch(job.id, { kind: 'noted', note: text })
    }
    try {
      dispatch(job.id, await runEffect(world, job, effect, note))
    } catch (error) {
      world.signal.throwIfAborted()
      failed(job, error)
    }
    if (isEnded(job.id)) tidy(world)
  }

  function isEnded(id: string): boolean {
    return world.journal.state.jobs[id] === undefined
  }

  function ask(job: Job): void {
    const go = proceedAt.get(job.id)
    const isOfflineAllowed = job.plan?.offlineInstall === true && asked.has(job.id) && options.isOffline()
    if (isOfflineAllowed || (go !== undefined && performance.now() - go < goodForMs)) {
      dispatch(job.id, { kind: 'may-install' })
      return
    }
    asked.add(job.id)
    options.wantCheckIn()
  }

  function failed(job: Job, error: unknown): void {
    const failure = classify(error, job.plan?.totalBytes ?? 1_000_000)
    const { kind, ...rest } = failure
    if (failure.kind === 'stuck') {
      dispatch(job.id, { ...failure })
    } else if (error instanceof PoisonError && hasWaitedLong(job, world.now())) {
      dispatch(job.id, { kind: 'stuck', reason: 'content', detail: failure.detail })
    } else {
      postpone(job, failure, error instanceof NetworkError ? error.retryAfterMs : undefined)
    }
    if (process.env['BASCULE_LOG'] === 'debug') process.stderr.write(`job ${job.id} ${kind}: ${JSON.stringify(rest)}\n`)
  }

  function postpone(job: Job, wait: Extract<JobEvent, { kind: 'waits' }>['wait'], retryAfterMs?: number): void {
    const before = retries.get(job.id)?.delayMs ?? null
    const delayMs = retryAfterMs ?? Math.min(options.everyMs, nextDelayMs(wait.reason, before, options.random))
    retries.set(job.id, { atMs: performance.now() + delayMs, delayMs })
    dispatch(job.id, { kind: 'waits', wait })
  }

  /** No retry before there is room: first our own cache is cleared, then the space is looked at, then only is it tried. */
  function isDiskStillFull(job: Job): boolean {
    if (job.wait?.reason !== 'disk') return false
    tidy(world)
    const needBytes = job.wait.needBytes ?? 0
    const freeBytes = Math.min(world.platform.freeBytes(world.root), world.platform.freeBytes(world.store.folder))
    if (freeBytes >= needBytes) return false
    postpone(job, job.wait)
    return true
  }

  return {
    work,
    dispatch,
    answer(proceed, hold) {
      for (const id of proceed) proceedAt.set(id, performance.now())
      for (const { job, reason } of hold) {
        if (effectOf(world.journal.state.jobs[job] ?? noJob) !== 'ask') continue
        dispatch(job, { kind: 'waits', wait: { reason: 'gate', detail: reason, wakesOn: 'the server says go' } })
      }
    },
    lookAgain() {
      for (const job of jobs()) if (job.wait?.refusal) retries.delete(job.id)
    },
    nextLookMs() {
      const times = [...retries].filter(([id]) => !isEnded(id)).map(([, { atMs }]) => atMs - performance.now())
      return times.length === 0 ? null : Math.max(0, Math.min(...times))
    },
    resume() {
      for (const { id } of jobs()) dispatch(id, { kind: 'restarted' })
      if (jobs().length === 0) tidy(world)
    },
  }
}

const noJob = { step: 'cancelled' } as Job

/** The records of one change: the job, its report and what is installed stand in one frame (they happen together). */
export function recordsOf(world: World, before: Job | null, next: Job): JournalRecord[] {
  const records: JournalRecord[] = []
  if (isTerminalStep(next.step)) {
    const installed = installedAfter(world, next)
    if (installed !== undefined) {
      records.push({ t: 'installed', key: installedKey(next.productLine, next.activation), installed })
      records.push(...recordsAfterInstall(world.journal.state, next, installed?.counter ?? 0))
    }
    records.push({ t: 'ended', id: next.id, key: finishedKey(next) })
  } else {
    records.push({ t: 'job', job: next })
  }
  if (before !== null && isReportable(before, next)) records.push({ t: 'report', report: reportOf(world, next) })
  return records
}

export function finishedKey(job: Pick<Job, 'id' | 'action' | 'manifest'>): string {
  return `${job.id}:${job.action}:${job.manifest.sha256}`
}

/** What is told by a report of its own; everything else goes with the check-in and may be missed. */
function isReportable(before: Job, next: Job): boolean {
  if (next.step !== before.step) {
    // That a job goes on is only news when it was told that it waits.
    const isNews = isTerminalStep(next.step) || next.step === 'needs-admin' || next.step === 'rolling-back'
    return isNews || isToldWait(before.wait)
  }
  return isToldWait(next.wait) && waitText(next.wait) !== waitText(before.wait)
}

/** Standing at the server's gate is how every job gets on, and no news; the gate of the boards is another one. */
function isToldWait(wait: Job['wait']): boolean {
  return wait !== undefined && (wait.reason !== 'gate' || wait.refusal !== undefined)
}

function waitText(wait: Job['wait']): string {
  return `${wait?.reason} ${wait?.refusal?.code} ${wait?.refusal?.rule}`
}

/** Numbers in the sentence of a wait may move without being news. */
function isSame(job: Job, next: Job): boolean {
  if (job.step !== next.step || job.wait?.reason !== next.wait?.reason) return false
  if (job.wait?.detail !== next.wait?.detail) return false
  return JSON.stringify(job) === JSON.stringify(next)
}

/** Another job of the same line that may have changed something: two at a time would undo each other. */
function rivalOf(job: Job, jobs: readonly Job[]): Job | undefined {
  const isSameLine = (other: Job) => other.productLine === job.productLine && other.activation === job.activation
  return jobs.find(
    (other) => other.id !== job.id && isSameLine(other) && !isBeforeChange(other) && other.step !== 'needs-admin',
  )
}

function hasWaitedLong(job: Job, nowIso: string): boolean {
  return job.wait !== undefined && Date.parse(nowIso) - Date.parse(job.wait.since) > poisonPatienceMs
}

/** Removes what nothing needs any more. Best effort: a failure here is no failure of any job. */
function tidy(world: World): void {
  const { jobs, installed } = world.journal.state
  const plans = Object.values(jobs).flatMap((job) => job.plan?.packages ?? [])
  const kept = Object.values(installed).flatMap((entry) => (entry.previous ? [entry, entry.previous] : [entry]))
  try {
    world.store.keepOnly(
      new Set([
        ...kept.map((entry) => entry.manifestSha256),
        ...Object.values(jobs).map((job) => job.manifest.sha256),
        ...plans.flatMap(({ configDigest, layers }) =>
          [configDigest, ...layers.map(({ digest }) => digest)].map(hexOf),
        ),
      ]),
    )
    for (const installer of world.installers.values()) {
      for (const name of new Set(installer.versions().map((entry) => entry.package))) {
        const folders = [...kept.flatMap((entry) => entry.packages), ...plans].filter((entry) => entry.name === name)
        installer.tidy(
          name,
          folders
            .flatMap((entry) => ('folderBefore' in entry ? [entry.folder, entry.folderBefore] : [entry.folder]))
            .filter((folder) => folder !== null),
        )
      }
    }
  } catch (error) {
    process.stderr.write(`Tidying up: ${String(error)}\n`)
  }
}
