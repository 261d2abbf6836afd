import { mayInstall } from '@bascule/domain/deliver/install-gate.ts'
import { isFinished, isInFlight } from '@bascule/domain/deliver/job.ts'
import { nobodySilent, tallyPhase, type PhaseTally } from '@bascule/domain/deliver/phase.ts'
import type { Db } from '#/platform/db/database.ts'
import {
  addCounts,
  limitsFromRow,
  observeRollout,
  type CountDelta,
  type ObservedRollout,
  type PhaseRow,
} from '../rollout/rollout.store.ts'
import { changeJobs, devicesInFlight, lockJobs, lockPhasesOfJobs, type JobChange, type LockedJob } from './job.store.ts'
import { moved } from './offer-jobs.ts'

export interface Ask {
  readonly deviceId: number
  readonly jobId: number
}
export type Grant = { readonly proceed: true } | { readonly proceed: false; readonly reason: string }

/** Whether nothing was heard of a device beyond its habit. From memory. */
export type IsQuiet = (deviceId: number) => boolean

/**
 * Answers devices that stand ready and ask whether they may install. All asks of one moment share a transaction; the
 * phases are locked, so each device let through is counted before the next is looked at and the cap can never be
 * passed. The same question twice gets the same answer.
 */
export async function grantInstalls(
  db: Db,
  asks: readonly Ask[],
  now: Temporal.Instant,
  isQuiet: IsQuiet = () => false,
): Promise<Grant[]> {
  return await db.transaction().execute(async (tx) => {
    const ids = asks.map((ask) => ask.jobId)
    await lockPhasesOfJobs(tx, ids)
    const jobs = new Map((await lockJobs(tx, ids)).map((job) => [job.id, job]))
    const gates = await readGates(tx, [...jobs.values()], isQuiet)
    const outcome: Outcome = { changes: [], deltas: [] }
    const grants = new Map(once(asks).map((ask) => [keyOf(ask), decide(ask, jobs, gates, outcome, now)]))
    await changeJobs(tx, outcome.changes, now.toString())
    await addCounts(tx, outcome.deltas)
    return asks.map((ask) => grants.get(keyOf(ask)) ?? noLonger)
  })
}

const noLonger: Grant = { proceed: false, reason: 'This job is no longer asked for.' }

function keyOf({ deviceId, jobId }: Ask): string {
  return `${deviceId} ${jobId}`
}

/** A device that asks twice in one breath is one device. */
function once(asks: readonly Ask[]): Ask[] {
  return [...new Map(asks.map((ask) => [keyOf(ask), ask])).values()]
}

interface Outcome {
  readonly changes: JobChange[]
  readonly deltas: CountDelta[]
}

/** Failures and devices in flight of a phase, counted on while devices are let through. */
type Running = { failures: number; inFlight: number; vanished: number }
interface Gates {
  readonly rollouts: ReadonlyMap<number, ObservedRollout>
  readonly running: Map<string, Running>
}

async function readGates(tx: Db, jobs: readonly LockedJob[], isQuiet: IsQuiet): Promise<Gates> {
  const rollouts = new Map<number, ObservedRollout>()
  for (const id of new Set(jobs.map((job) => job.rolloutId))) {
    const seen = await observeRollout(tx, id)
    if (seen) rollouts.set(id, seen)
  }
  const running = new Map<string, Running>()
  for (const [id, seen] of rollouts) {
    for (const phase of seen.phases) running.set(`${id} ${phase.ord}`, await runningOf(tx, seen, phase, isQuiet))
  }
  return { rollouts, running }
}

/** Who vanished is asked only when the cap is reached and the plan lets some go quiet. */
async function runningOf(tx: Db, seen: ObservedRollout, phase: PhaseRow, isQuiet: IsQuiet): Promise<Running> {
  const { failures, inFlight } = tallyOf(seen, phase.ord, phase.size)
  const isFull = failures + inFlight >= phase.in_flight_max
  if (!isFull || phase.silence_budget === 0) return { failures, inFlight, vanished: 0 }
  const ids = await devicesInFlight(tx, seen.rollout.id, phase.ord)
  return { failures, inFlight, vanished: ids.filter(isQuiet).length }
}

function tallyOf(seen: ObservedRollout, ord: number, size: number): PhaseTally {
  return tallyPhase(size, seen.counts.get(ord) ?? [], nobodySilent)
}

/**
 * Who asks has not begun, whatever was answered before: the answer may have been lost on its way. So a pause or a spent
 * budget holds a device that was let through and asks again (I20), and its place is free for another.
 */
function decide(
  ask: Ask,
  jobs: ReadonlyMap<number, LockedJob>,
  gates: Gates,
  outcome: Outcome,
  now: Temporal.Instant,
): Grant {
  const job = jobs.get(ask.jobId)
  if (!job || job.deviceId !== ask.deviceId) return noLonger
  // The question may be older than what was decided meanwhile: an excused device is not let through.
  if (isFinished(job.state)) return { proceed: false, reason: `This job has ended: it is ${job.state}.` }
  if (job.action === 'back-out') return letThrough(job, gates, outcome)
  const isOnItsWay = isInFlight(job.state)
  const seen = gates.rollouts.get(job.rolloutId)
  const phase = seen?.phases.find((one) => one.ord === job.phase)
  const running = gates.running.get(`${job.rolloutId} ${job.phase}`)
  if (!seen || !phase || !running) return { proceed: false, reason: 'This rollout is over.' }
  const others = isOnItsWay ? { ...running, inFlight: running.inFlight - 1 } : running
  const answer = mayInstall(seen.rollout.state, phase.state, others, limitsFromRow(phase), now.toString())
  if (answer.ok) return letThrough(job, gates, outcome)
  if (isOnItsWay) move(job, 'staged', gates, outcome)
  return { proceed: false, reason: `${answer.error.fact} ${answer.error.next}` }
}

function letThrough(job: LockedJob, gates: Gates, outcome: Outcome): Grant {
  if (!isInFlight(job.state)) move(job, 'installing', gates, outcome)
  return { proceed: true }
}

/** Counts the device in or out of flight before the next one is looked at. */
function move(job: LockedJob, to: 'installing' | 'staged', gates: Gates, outcome: Outcome): void {
  const { rolloutId, phase: ord } = job
  outcome.changes.push({
    id: job.id,
    state: to,
    waitReason: null,
    stuckReason: null,
    sentence: null,
    wakesOn: null,
    reportSeq: job.reportSeq,
  })
  outcome.deltas.push(...moved(job, job.action, to))
  const running = gates.running.get(`${rolloutId} ${ord}`)
  if (running) running.inFlight += to === 'installing' ? 1 : -1
}
