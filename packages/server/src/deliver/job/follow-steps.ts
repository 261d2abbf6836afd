import type { JobStatus } from '@bascule/contract/device/protocol.ts'
import { bucketOf, jobStateFromStep, stateAfterReport } from '@bascule/domain/deliver/job.ts'
import type { Db } from '#/platform/db/database.ts'
import { publish } from '#/platform/events/publish.ts'
import { wake } from '#/platform/jobs/timer.ts'
import { sentenceOf } from '../receipt/report-sentence.ts'
import { addCounts } from '../rollout/rollout.store.ts'
import { changeJobs, lockJobs, lockPhasesOfJobs, type JobChange, type LockedJob } from './job.store.ts'
import { moved } from './offer-jobs.ts'

/** Where a device stands with its open jobs, as its check-in says; what ends a job comes as a report. */
export interface Standing {
  readonly deviceId: number
  readonly jobs: readonly JobStatus[]
}

/**
 * Follows devices on their way, so that everybody sees who downloads, who waits and why, and that a wait is over. Not
 * evidence and not in the ledger: a standing that is lost is said again at the next check-in.
 */
export async function followSteps(db: Db, standings: readonly Standing[], now: Temporal.Instant): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const ids = standings.flatMap(({ jobs }) => jobs.map((job) => Number(job.id)))
    await lockPhasesOfJobs(tx, ids)
    const steps = stepsOf(standings, await lockJobs(tx, ids))
    if (steps.length === 0) return
    await changeJobs(
      tx,
      steps.map(({ change }) => change),
      now.toString(),
    )
    const moves = steps.filter(({ job, change }) => job.state !== change.state)
    await addCounts(
      tx,
      moves.flatMap(({ job, change }) => moved(job, job.action, change.state)),
    )
    const isNews = ({ job, change }: Step) => bucketOf(job.state) !== bucketOf(change.state)
    for (const id of rolloutsOf(moves.filter(isNews))) await wake(tx, 'rollout', String(id), now)
    const version = String(now.epochMilliseconds)
    await publish(
      tx,
      rolloutsOf(steps).map((id) => ({ entity: 'rollout-progress', id: String(id), version })),
    )
  })
}

interface Step {
  readonly job: LockedJob
  readonly change: JobChange
}

function stepsOf(standings: readonly Standing[], locked: readonly LockedJob[]): Step[] {
  const byId = new Map(locked.map((job) => [job.id, job]))
  const said = standings.flatMap(({ deviceId, jobs }) => jobs.map((status) => ({ deviceId, status })))
  return said.flatMap(({ deviceId, status }) => {
    const job = byId.get(Number(status.id))
    if (job?.deviceId !== deviceId) return []
    byId.delete(job.id)
    const reported = jobStateFromStep(job.action, status.step, status.wait?.reason)
    const state = stateAfterReport(job.state, reported)
    // What is said of a job that the server knows better about is not taken: not its reason either.
    return state === reported ? [{ job, change: changeFrom(job, status, state) }] : []
  })
}

function changeFrom(job: LockedJob, status: JobStatus, state: LockedJob['state']): JobChange {
  return {
    id: job.id,
    state,
    waitReason: status.wait?.reason ?? null,
    stuckReason: status.stuck?.reason ?? null,
    sentence: sentenceOf(status),
    wakesOn: status.wait?.wakesOn ?? null,
    reportSeq: job.reportSeq,
    refusal: status.stuck?.refusal ?? status.wait?.refusal,
  }
}

function rolloutsOf(steps: readonly Step[]): number[] {
  return [...new Set(steps.map(({ job }) => job.rolloutId))]
}
