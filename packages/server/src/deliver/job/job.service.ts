import { isFailure, isFinished, isInFlight, type JobState } from '@bascule/domain/deliver/job.ts'
import type { PhaseState } from '@bascule/domain/deliver/phase.ts'
import type { ReleaseId } from '@bascule/domain/lib/ids.ts'
import { ok, type Refusal } from '@bascule/domain/lib/result.ts'
import type { Db } from '#/platform/db/database.ts'
import type { Call } from '#/platform/http/os.ts'
import { notFound, refused, type Answer } from '#/platform/lib/answer.ts'
import { wherePermitted } from '../rollout/permit.ts'
import { factOf, lasting, tell, whileIn } from '../rollout/rollout.service.ts'
import { addCounts, membersOf, phaseStatesOf, type RolloutRow } from '../rollout/rollout.store.ts'
import { isGoingBack } from '../rollout/running-rollouts.ts'
import { changeJobs, insertJobs, lockJobs, lockPhases, markStale, replaceJobs, type LockedJob } from './job.store.ts'
import { moved } from './offer-jobs.ts'

/**
 * Gives devices that failed, went back or were excused a new job. Devices in any other state are left alone, and so are
 * those whose phase has not begun or takes the release away again.
 */
export async function retryJobs(
  call: Call,
  releaseId: ReleaseId,
  deviceKeyIds: readonly string[],
): Promise<Answer<number>> {
  const { db, now } = call
  return await db.transaction().execute(async (tx) => {
    const denied = await wherePermitted(tx, call.actor, 'job.retry', deviceKeyIds)
    if (!denied.ok) return denied
    return await whileIn(tx, releaseId, lasting, async (rollout) => {
      const known = await lockJobsOfDevices(tx, rollout.id, deviceKeyIds)
      const phases = await phaseStatesOf(tx, rollout.id)
      const jobs = known.filter((job) => isRetryable(job, phases.get(job.phase)))
      if (jobs.length > 0) await replace(tx, jobs, now)
      const after = { devices: jobs.map(({ deviceId, phase }) => ({ device: deviceId, phase })) }
      const before = { devices: jobs.map(({ deviceId, state }) => ({ device: deviceId, state })) }
      if (jobs.length > 0) await tell(tx, rollout, { ...factOf(call, rollout, 'job.retried', after), before }, now)
      return ok(jobs.length)
    })
  })
}

function isRetryable({ action, state }: LockedJob, phase: PhaseState | undefined): boolean {
  if (phase === undefined || !(isFailure(action, state) || state === 'excused' || state === 'cancelled')) return false
  if (action === 'back-out') return isGoingBack(phase)
  return phase !== 'waiting' && phase !== 'preparing' && phase !== 'skipped' && !isGoingBack(phase)
}

async function replace(tx: Db, jobs: readonly LockedJob[], now: Temporal.Instant): Promise<Map<number, number>> {
  const replaced = await replaceJobs(
    tx,
    jobs.map((job) => ({ id: job.id, action: job.action })),
    now.toString(),
  )
  await addCounts(
    tx,
    jobs.flatMap((job) => moved(job, job.action, 'assigned')),
  )
  await markStale(
    tx,
    jobs.map((job) => job.deviceId),
  )
  return replaced
}

/** Leaves a device out of the count, with a reason that everybody sees. A device that is just installing cannot be excused. */
export async function excuseDevice(
  call: Call,
  releaseId: ReleaseId,
  deviceKeyId: string,
  reason: string,
): Promise<Answer<ReleaseId>> {
  const { db, now } = call
  return await db.transaction().execute(async (tx) => {
    const denied = await wherePermitted(tx, call.actor, 'job.retry', [deviceKeyId])
    if (!denied.ok) return denied
    return await whileIn(tx, releaseId, lasting, async (rollout) => {
      const job = await jobToExcuse(tx, rollout, deviceKeyId, now)
      if (!job) return notFound('device of this rollout')
      const phase = (await phaseStatesOf(tx, rollout.id)).get(job.phase)
      if (!isExcusable(job.state, phase)) return refused(notExcusable(job.state))
      await excuse(tx, job, reason, now)
      const after = { state: 'excused', device: deviceKeyId, reason }
      const before = { state: job.state }
      await tell(tx, rollout, { ...factOf(call, rollout, 'job.excused', after), before }, now)
      return ok(releaseId)
    })
  })
}

/** Who has the release is excused only from giving it back. */
function isExcusable(state: JobState, phase: PhaseState | undefined): boolean {
  if (isInFlight(state) || state === 'not-applicable') return false
  const hasIt = state === 'succeeded' || state === 'already-present'
  return !hasIt || (phase !== undefined && isGoingBack(phase))
}

/** A finished job is never taken up again; a new one takes its place and is excused. */
async function excuse(tx: Db, job: LockedJob, reason: string, now: Temporal.Instant): Promise<void> {
  const isOver = isFinished(job.state) && job.state !== 'excused'
  const id = isOver ? ((await replace(tx, [job], now)).get(job.id) ?? job.id) : job.id
  const [current] = await lockJobs(tx, [id])
  if (!current) throw new Error(`The job ${id} vanished while it was locked`)
  const excused = { state: 'excused' as const, waitReason: null, stuckReason: null, wakesOn: null }
  await changeJobs(tx, [{ ...excused, id, sentence: reason, reportSeq: current.reportSeq }], now.toString())
  await addCounts(tx, moved(current, current.action, 'excused'))
  await markStale(tx, [job.deviceId])
}

/** A device that has not acted yet gets its row here, because a person acted for it. */
async function jobToExcuse(
  tx: Db,
  rollout: RolloutRow,
  keyId: string,
  now: Temporal.Instant,
): Promise<LockedJob | undefined> {
  const [known] = await lockJobsOfDevices(tx, rollout.id, [keyId])
  if (known) return known
  const device = await tx.selectFrom('device').select('id').where('key_id', '=', keyId).executeTakeFirst()
  const phase = device ? ((await membersOf(tx, rollout.id))[device.id] ?? 0) : 0
  if (!device || phase === 0) return undefined
  await lockPhases(tx, [{ rolloutId: rollout.id, ord: phase }])
  const [made] = await insertJobs(tx, [{ rolloutId: rollout.id, deviceId: device.id, phase }], now.toString())
  if (made) await addCounts(tx, [{ rolloutId: rollout.id, ord: phase, action: 'install', state: 'assigned', by: 1 }])
  // The device may have come in between: then the job that it got is the one to excuse.
  return (await lockJobsOfDevices(tx, rollout.id, [keyId]))[0]
}

function notExcusable(state: JobState): Refusal<'not-excusable'> {
  return {
    rule: 'not-excusable',
    fact: `The device is ${state}.`,
    lifter: isInFlight(state) ? 'the device, when it has finished' : 'nobody',
    next: isInFlight(state)
      ? 'Wait until it has finished. If it never will, pause the phase and let it go on with a larger cap.'
      : 'Nothing; it is not waited for.',
  }
}

async function lockJobsOfDevices(tx: Db, rolloutId: number, keyIds: readonly string[]): Promise<LockedJob[]> {
  const rows = await tx
    .selectFrom('job')
    .innerJoin('device', 'device.id', 'job.device_id')
    .select(['job.id', 'job.phase'])
    .where('job.rollout_id', '=', rolloutId)
    .where('device.key_id', 'in', [...keyIds])
    .execute()
  await lockPhases(
    tx,
    rows.map((row) => ({ rolloutId, ord: row.phase })),
  )
  return await lockJobs(
    tx,
    rows.map((row) => row.id),
  )
}
