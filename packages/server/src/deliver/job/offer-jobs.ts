import { letsDevicesInstall, servesDevices } from '@bascule/domain/deliver/install-gate.ts'
import { isOpen, needsReturn, type JobAction, type JobState } from '@bascule/domain/deliver/job.ts'
import type { Db } from '#/platform/db/database.ts'
import { publish } from '#/platform/events/publish.ts'
import { wake } from '#/platform/jobs/timer.ts'
import { addCounts, type CountDelta } from '../rollout/rollout.store.ts'
import { isGoingBack, type Work } from '../rollout/running-rollouts.ts'
import { issueAssignments, type AssignmentServices, type Issued } from './issue-assignments.ts'
import { changeJobs, insertJobs, lockPhases, replaceJobs, type JobChange, type LockedJob } from './job.store.ts'

export interface Offer {
  readonly deviceId: number
  readonly work: readonly Work[]
}

/** What came of an offer: the assignment that the device should now have, and what of the work it was told. */
export interface Offered extends Issued {
  readonly told: readonly Work[]
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
    const offered = offers.flatMap((offer) => offer.work.map((one) => ({ ...one, deviceId: offer.deviceId })))
    const isAsked = await lockPhasesThatAsk(tx, offered)
    const work = offered.filter(isAsked)
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
    const issued = await issueAssignments(
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
    return offers.map((offer) => ({
      ...(issued.get(offer.deviceId) ?? { generation: 0, expiresAt: null }),
      told: offer.work.filter(isAsked),
    }))
  })
}

/**
 * Locks the phases and answers what is still asked: what a server remembers may be older than a pause or a back-out,
 * and a device that got an install after the back-out of its phase would never be turned around.
 */
async function lockPhasesThatAsk(tx: Db, work: readonly Work[]): Promise<(one: Work) => boolean> {
  await lockPhases(
    tx,
    work.map((one) => ({ rolloutId: one.rolloutId, ord: one.phase })),
  )
  const rolloutIds = [...new Set(work.map((one) => one.rolloutId))]
  if (rolloutIds.length === 0) return () => false
  const phases = await tx
    .selectFrom('phase')
    .innerJoin('rollout', 'rollout.id', 'phase.rollout_id')
    .select(['rollout.id', 'phase.ord', 'rollout.state as rollout', 'phase.state'])
    .where('rollout.id', 'in', rolloutIds)
    .execute()
  return ({ rolloutId, phase, action }) => {
    const found = phases.find((one) => one.id === rolloutId && one.ord === phase)
    if (!found) return false
    if (action === 'back-out') return isGoingBack(found.state)
    return servesDevices(found.rollout) && letsDevicesInstall(found.state)
  }
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
