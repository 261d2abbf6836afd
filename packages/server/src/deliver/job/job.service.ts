import { ok, type Refusal } from '@bascule/domain/lib/result.ts'
import { isFailure, isInFlight, type JobState } from '@bascule/domain/deliver/job.ts'
import type { Db } from '#/platform/db/database.ts'
import type { ReleaseId } from '@bascule/domain/lib/ids.ts'
import type { Call } from '#/platform/http/os.ts'
import { notFound, refused, type Answer } from '#/platform/lib/answer.ts'
import { factOf, tell } from '../rollout/rollout.service.ts'
import { addCounts, lockRolloutOf, membersOf, type RolloutRow } from '../rollout/rollout.store.ts'
import { changeJobs, insertJobs, lockJobs, lockPhases, markStale, replaceJobs, type LockedJob } from './job.store.ts'
import { moved } from './offer-jobs.ts'

/** Gives devices that failed, went back or were excused a new job. Devices in any other state are left alone. */
export async function retryJobs(
  { db, actor, now }: Call,
  releaseId: ReleaseId,
  deviceKeyIds: readonly string[],
): Promise<Answer<number>> {
  return await db.transaction().execute(async (tx) => {
    const rollout = await lockRolloutOf(tx, releaseId)
    if (!rollout) return notFound('rollout')
    const jobs = (await lockJobsOfDevices(tx, rollout.id, deviceKeyIds)).filter(isRetryable)
    await replaceJobs(
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
    if (jobs.length > 0)
      await tell(tx, rollout, factOf(actor, rollout, 'job.retried', { devices: jobs.length }, now), now)
    return ok(jobs.length)
  })
}

function isRetryable(job: LockedJob): boolean {
  return isFailure(job.action, job.state) || job.state === 'excused' || job.state === 'cancelled'
}

/** Leaves a device out of the count, with a reason that everybody sees. A device that is just installing cannot be excused. */
export async function excuseDevice(
  { db, actor, now }: Call,
  releaseId: ReleaseId,
  deviceKeyId: string,
  reason: string,
): Promise<Answer<ReleaseId>> {
  return await db.transaction().execute(async (tx) => {
    const rollout = await lockRolloutOf(tx, releaseId)
    if (!rollout) return notFound('rollout')
    const job = await jobToExcuse(tx, rollout, deviceKeyId, now)
    if (!job) return notFound('device of this rollout')
    if (isInFlight(job.state) || job.state === 'succeeded') return refused(notExcusable(job.state))
    await changeJobs(tx, [{ ...excused, id: job.id, sentence: reason, reportSeq: job.reportSeq }], now.toString())
    await addCounts(tx, moved(job, job.action, 'excused'))
    await markStale(tx, [job.deviceId])
    await tell(tx, rollout, factOf(actor, rollout, 'job.excused', { device: deviceKeyId, reason }, now), now)
    return ok(releaseId)
  })
}

const excused = { state: 'excused' as const, waitReason: null, stuckReason: null, wakesOn: null }

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
  if (!made) return undefined
  await addCounts(tx, [{ rolloutId: rollout.id, ord: phase, action: 'install', state: 'assigned', by: 1 }])
  return (await lockJobs(tx, [made.id]))[0]
}

function notExcusable(state: JobState): Refusal<'not-excusable'> {
  return {
    rule: 'not-excusable',
    fact: `The device is ${state}.`,
    lifter: 'nobody',
    next: state === 'succeeded' ? 'Nothing; it has the release.' : 'Wait until the device has finished.',
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
