import { isTerminalStep } from '@bascule/domain/deliver/agent-step.ts'
import { bucketOf, isFailure, jobStateFromStep, stateAfterReport, type JobState } from '@bascule/domain/deliver/job.ts'
import type { Db } from '#/platform/db/database.ts'
import { publish } from '#/platform/events/publish.ts'
import { wake } from '#/platform/jobs/timer.ts'
import { record, type Fact } from '#/platform/ledger/record.ts'
import { changeJobs, lockJobs, lockPhasesOfJobs, type JobChange, type LockedJob } from '../job/job.store.ts'
import { addCounts, type CountDelta } from '../rollout/rollout.store.ts'
import { applyReceipts, type ProvenInstall } from './apply-receipts.ts'
import { insertReports, raiseReportHighs, reportKey, type ArrivedReport } from './report.store.ts'

/**
 * Makes reports durable and lets them move their jobs, all in one transaction: the report, the job's state, the
 * counters, the ledger and the CMDB change together or not at all. Reports of many devices share the transaction.
 * A report that was stored before moves nothing a second time.
 */
export async function commitReports(db: Db, arrived: readonly ArrivedReport[], now: Temporal.Instant): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const fresh = await insertReports(tx, arrived, now.toString())
    const news = arrived
      .filter((one) => fresh.delete(reportKey(one.deviceId, one.report.seq)))
      .toSorted((a, b) => a.report.seq - b.report.seq)
    if (news.length === 0) return
    const jobIds = [...new Set(news.map((one) => Number(one.report.job)))]
    await lockPhasesOfJobs(tx, jobIds)
    const moves = movesOf(await lockJobs(tx, jobIds), news)
    await changeJobs(
      tx,
      moves.map((move) => move.change),
      now.toString(),
    )
    await addCounts(tx, moves.flatMap(deltasOf))
    await applyReceipts(tx, news.flatMap(provenInstalls), now)
    await raiseReportHighs(tx, news)
    await tell(tx, moves, now)
  })
}

/** A job that these reports moved, with the last of them. */
interface Move {
  readonly job: LockedJob
  readonly last: ArrivedReport
  readonly change: JobChange
}

function movesOf(jobs: readonly LockedJob[], news: readonly ArrivedReport[]): Move[] {
  return jobs.flatMap((job) => {
    const own = news
      .filter(
        (one) => Number(one.report.job) === job.id && one.deviceId === job.deviceId && one.report.seq > job.reportSeq,
      )
      .toSorted((a, b) => a.report.seq - b.report.seq)
    const last = own.at(-1)
    if (last === undefined) return []
    const state = own.reduce((before, one) => stateAfterReport(before, stateOf(job, one)), job.state)
    return [{ job, last, change: changeFrom(job, last, state) }]
  })
}

/** A receipt whose signature does not hold proves nothing: a person has to look. */
function stateOf(job: LockedJob, { report, receiptValid }: ArrivedReport): JobState {
  if (isTerminalStep(report.step) && receiptValid !== true) return 'failed-needs-human'
  return jobStateFromStep(job.action, report.step, report.wait?.reason)
}

function changeFrom(job: LockedJob, last: ArrivedReport, state: JobState): JobChange {
  const { report } = last
  const unproven = isTerminalStep(report.step) && last.receiptValid !== true
  return {
    id: job.id,
    state,
    waitReason: report.wait?.reason ?? null,
    stuckReason: unproven ? 'trust' : (report.stuck?.reason ?? causeOf(job, last, state)),
    sentence: unproven ? 'The receipt is not signed by this device.' : last.sentence,
    wakesOn: report.wait?.wakesOn ?? null,
    reportSeq: report.seq,
    refusal: unproven ? undefined : (report.stuck?.refusal ?? report.wait?.refusal),
  }
}

/** A device that went back by itself did so because its health command or its verification failed. */
function causeOf(job: LockedJob, { report }: ArrivedReport, state: JobState): string | null {
  if (!isFailure(job.action, state)) return null
  const failed = report.receipt?.signed.verification.find((level) => level.result === 'failed')
  return failed?.level === 4 ? 'health' : 'installer'
}

function deltasOf({ job, change }: Move): CountDelta[] {
  if (job.state === change.state) return []
  const key = { rolloutId: job.rolloutId, ord: job.phase, action: job.action }
  return [
    { ...key, state: job.state, by: -1 },
    { ...key, state: change.state, by: 1 },
  ]
}

/**
 * What a device proves that it now runs, whatever has become of the job: a back-out may have taken its place while the
 * device was installing, or a person has excused it. The CMDB says what is there, not what was wanted.
 */
function provenInstalls({ deviceId, report, receiptValid }: ArrivedReport): ProvenInstall[] {
  if (!report.receipt || receiptValid !== true || !isTerminalStep(report.step)) return []
  return [{ deviceId, seq: report.seq, receipt: report.receipt }]
}

/**
 * Progress gathers for a moment before the reconciler looks: it decides on counters, and devices that report by the
 * thousand would have it look after every commit. Nothing waits for it: the gate to an install asks the counters itself.
 */
const gatherProgress = Temporal.Duration.from({ milliseconds: 200 })

/** One fact per finished or failed job, one notice per rollout, and the reconciler is woken for what moved. */
async function tell(tx: Db, moves: readonly Move[], now: Temporal.Instant): Promise<void> {
  const moved = moves.filter((move) => move.job.state !== move.change.state)
  const told = moved.filter((move) => !isUnderWay(move.change.state))
  if (told.length > 0) await record(tx, ...(await factsOf(tx, told, now)))
  for (const id of rolloutsOf(moved)) await wake(tx, 'rollout', id, now.add(gatherProgress))
  const version = String(now.epochMilliseconds)
  await publish(
    tx,
    rolloutsOf(moves).map((id) => ({ entity: 'rollout-progress', id, version })),
  )
}

function rolloutsOf(moves: readonly Move[]): string[] {
  return [...new Set(moves.map((move) => String(move.job.rolloutId)))]
}

function isUnderWay(state: JobState): boolean {
  return bucketOf(state) === 'in-progress'
}

async function factsOf(tx: Db, moves: readonly Move[], now: Temporal.Instant): Promise<Fact[]> {
  const devices = await tx
    .selectFrom('device')
    .select(['id', 'key_id', 'name'])
    .where(
      'id',
      'in',
      moves.map((move) => move.job.deviceId),
    )
    .execute()
  const releases = await tx
    .selectFrom('rollout')
    .select(['id', 'release_id'])
    .where('id', 'in', [...new Set(moves.map((move) => move.job.rolloutId))])
    .execute()
  const deviceById = new Map(devices.map((device) => [device.id, device]))
  const releaseById = new Map(releases.map((row) => [row.id, row.release_id]))
  return moves.map(({ job, change }) => {
    const device = deviceById.get(job.deviceId)
    return {
      actor: { kind: 'device', id: device?.key_id ?? '', name: device?.name ?? '' },
      at: now,
      did: `job.${change.state}`,
      subject: { kind: 'job', id: String(job.id) },
      releaseId: releaseById.get(job.rolloutId),
      before: { state: job.state },
      after: { state: change.state, phase: job.phase, sentence: change.sentence },
    }
  })
}
