import { isInFlight, isOpen, type JobAction, type JobState } from '@bascule/domain/deliver/job.ts'
import type { Db } from '#/platform/db/database.ts'
import { publish } from '#/platform/events/publish.ts'
import { wake } from '#/platform/jobs/timer.ts'
import { addCounts, type CountDelta } from '../rollout/rollout.store.ts'
import type { Work } from '../rollout/running-rollouts.ts'
import { issueAssignments, type AssignmentServices } from './issue-assignments.ts'
import { changeJobs, insertJobs, lockPhases, replaceJobs, type JobChange, type LockedJob } from './job.store.ts'

export interface Offer {
  readonly deviceId: number
  readonly work: readonly Work[]
}

/** What came of an offer: the generation of the assignment that the device should now have. */
export interface Offered {
  readonly generation: number
}

/**
 * Tells devices what is new for them: makes their first jobs, turns jobs of a phase that goes back around, and has the
 * director sign one assignment each. All devices that check in at one moment share a transaction and a signature call.
 */
export async function offerJobs(
  services: AssignmentServices,
  offers: readonly Offer[],
  now: Temporal.Instant,
): Promise<Offered[]> {
  return await services.db.transaction().execute(async (tx) => {
    const work = offers.flatMap((offer) => offer.work.map((one) => ({ ...one, deviceId: offer.deviceId })))
    await lockPhases(
      tx,
      work.map((one) => ({ rolloutId: one.rolloutId, ord: one.phase })),
    )
    const installs = await insertJobs(
      tx,
      work.filter((one) => one.action === 'install'),
      now.toString(),
    )
    const deltas: CountDelta[] = installs.map((job) => ({
      rolloutId: job.rolloutId,
      ord: job.phase,
      action: 'install',
      state: 'assigned',
      by: 1,
    }))
    deltas.push(
      ...(await turnAround(
        tx,
        work.filter((one) => one.action === 'back-out'),
        now,
      )),
    )
    await addCounts(tx, deltas)
    const generations = await issueAssignments(
      services,
      tx,
      offers.map((offer) => offer.deviceId),
      now,
    )
    const rolloutIds = [...new Set(work.map((one) => one.rolloutId))]
    for (const id of rolloutIds) await wake(tx, 'rollout', String(id), now)
    const version = String(now.epochMilliseconds)
    await publish(
      tx,
      rolloutIds.map((id) => ({ entity: 'rollout-progress', id: String(id), version })),
    )
    return offers.map((offer) => ({ generation: generations.get(offer.deviceId) ?? 0 }))
  })
}

/** Devices that have or may have the release get a job back; those that had not begun are just told to stop. */
async function turnAround(
  tx: Db,
  work: readonly { deviceId: number; rolloutId: number }[],
  now: Temporal.Instant,
): Promise<CountDelta[]> {
  if (work.length === 0) return []
  const jobs = await jobsToTurn(tx, work)
  const returning = jobs.filter((job) => job.action === 'install' && needsReturn(job.state))
  const stopping = jobs.filter((job) => job.action === 'install' && !needsReturn(job.state) && isOpen(job.state))
  await replaceJobs(
    tx,
    returning.map((job) => ({ id: job.id, action: 'back-out' as const })),
    now.toString(),
  )
  await changeJobs(tx, stopping.map(cancelled), now.toString())
  return [
    ...returning.flatMap((job) => moved(job, 'back-out', 'assigned')),
    ...stopping.flatMap((job) => moved(job, job.action, 'cancelled')),
  ]
}

function needsReturn(state: JobState): boolean {
  return state === 'succeeded' || state === 'failed-needs-human' || isInFlight(state)
}

async function jobsToTurn(tx: Db, work: readonly { deviceId: number; rolloutId: number }[]): Promise<LockedJob[]> {
  const rows = await tx
    .selectFrom('job')
    .selectAll()
    .where('rollout_id', 'in', [...new Set(work.map((one) => one.rolloutId))])
    .where(
      'device_id',
      'in',
      work.map((one) => one.deviceId),
    )
    .orderBy('rollout_id')
    .orderBy('device_id')
    .forUpdate()
    .execute()
  const wanted = new Set(work.map((one) => `${one.rolloutId} ${one.deviceId}`))
  return rows
    .filter((row) => wanted.has(`${row.rollout_id} ${row.device_id}`))
    .map((row) => ({
      id: row.id,
      rolloutId: row.rollout_id,
      deviceId: row.device_id,
      phase: row.phase,
      attempt: row.attempt,
      action: row.action,
      state: row.state,
      reportSeq: row.report_seq,
    }))
}

function cancelled(job: LockedJob): JobChange {
  return {
    id: job.id,
    state: 'cancelled',
    waitReason: null,
    stuckReason: null,
    sentence: 'The phase goes back; this device had not begun.',
    wakesOn: null,
    reportSeq: job.reportSeq,
  }
}

export function moved(job: LockedJob, action: JobAction, to: JobState): CountDelta[] {
  const key = { rolloutId: job.rolloutId, ord: job.phase }
  return [
    { ...key, action: job.action, state: job.state, by: -1 },
    { ...key, action, state: to, by: 1 },
  ]
}
