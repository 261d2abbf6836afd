import type { JobRow, ReportRow } from '@bascule/contract/deliver/rollout.ts'
import type { WaitReason } from '@bascule/domain/deliver/agent-step.ts'
import { isFailure, type JobAction, type JobState, turnClass } from '@bascule/domain/deliver/job.ts'
import type { Page } from '@bascule/contract/lib/paging.ts'
import { sql } from 'kysely'
import type * as z from 'zod'
import type { Db } from '#/platform/db/database.ts'
import { decodeCursor, pageFrom } from '#/platform/lib/keyset.ts'

export interface JobFilter {
  readonly releaseId: string
  readonly phase?: number | undefined
  readonly state?: JobState | undefined
  readonly cause?: string | undefined
  readonly refusal?: string | undefined
  readonly after?: string | undefined
  readonly limit: number
}

interface Row {
  device_id: number
  key_id: string
  name: string
  phase: number
  id: number
  attempt: number
  action: JobAction
  state: JobState
  state_since: Temporal.Instant
  wait_reason: WaitReason | null
  stuck_reason: string | null
  sentence: string | null
  wakes_on: string | null
  refusal_code: string | null
  refusal_rule: string | null
}

const columns = sql`d.id as device_id, d.key_id, d.name, j.phase, j.id, j.attempt, j.action, j.state, j.state_since,
  j.wait_reason, j.stuck_reason, j.sentence, j.wakes_on, j.refusal_code, j.refusal_rule`

/** Devices of a rollout that have acted, in the order of the fleet. */
export async function listJobs(db: Db, filter: JobFilter): Promise<Page<JobRow>> {
  const after = Number(decodeCursor(filter.after)?.key ?? 0)
  const rows = await sql<Row>`
    select ${columns} from job j join device d on d.id = j.device_id join rollout r on r.id = j.rollout_id
    where r.release_id = ${filter.releaseId} and j.device_id > ${after}
      ${filter.phase === undefined ? sql`` : sql`and j.phase = ${filter.phase}`}
      ${filter.state === undefined ? sql`` : sql`and j.state = ${filter.state}`}
      ${filter.cause === undefined ? sql`` : sql`and coalesce(j.stuck_reason, j.wait_reason) = ${filter.cause}`}
      ${refusalIs(filter.refusal)}
    order by j.device_id limit ${filter.limit + 1}`.execute(db)
  return pageFrom(rows.rows, filter.limit, (row) => ({ key: String(row.device_id), id: row.key_id }), jobRow)
}

function refusalIs(refusal: string | undefined) {
  if (refusal === undefined) return sql``
  return refusal === 'any' ? sql`and j.refusal_code is not null` : sql`and j.refusal_code = ${refusal}`
}

type DeviceJob = JobRow & { releaseId: z.infer<typeof ReportRow>['releaseId'] & string; release: string }

/** What one device was asked to do, newest first. */
export async function listJobsOfDevice(
  db: Db,
  keyId: string,
  after: string | undefined,
  limit: number,
): Promise<Page<DeviceJob>> {
  const before = Number(decodeCursor(after)?.key ?? Number.MAX_SAFE_INTEGER)
  const rows = await sql<Row & { release_id: string; title: string; version: string }>`
    select ${columns}, e.id as release_id, e.title, e.version
    from job j join device d on d.id = j.device_id join rollout r on r.id = j.rollout_id join release e on e.id = r.release_id
    where d.key_id = ${keyId} and j.id < ${before} order by j.id desc limit ${limit + 1}`.execute(db)
  return pageFrom(
    rows.rows,
    limit,
    (row) => ({ key: String(row.id), id: row.key_id }),
    (row) => ({
      ...jobRow(row),
      releaseId: row.release_id as DeviceJob['releaseId'],
      release: `${row.title} ${row.version}`,
    }),
  )
}

function jobRow(row: Row): JobRow {
  const trouble = row.wait_reason !== null || row.stuck_reason !== null || isFailure(row.action, row.state)
  return {
    deviceId: row.key_id,
    device: row.name,
    phase: row.phase,
    job: String(row.id),
    attempt: row.attempt,
    action: row.action,
    state: row.state,
    cause: row.stuck_reason ?? row.wait_reason,
    sentence: row.sentence,
    turn: trouble ? turnClass(row.wait_reason, row.stuck_reason) : null,
    wakesOn: row.wakes_on,
    refusal: row.refusal_code === null ? null : { code: row.refusal_code, rule: row.refusal_rule ?? '' },
    since: row.state_since.toString(),
  }
}

type Reported = z.infer<typeof ReportRow>

/** The device's own words and receipts, newest first. */
export async function listReportsOfDevice(
  db: Db,
  keyId: string,
  after: string | undefined,
  limit: number,
): Promise<Page<Reported>> {
  const before = Number(decodeCursor(after)?.key ?? Number.MAX_SAFE_INTEGER)
  const rows = await sql<{
    seq: number
    job_id: number
    release_id: string | null
    title: string | null
    at: Temporal.Instant
    received_at: Temporal.Instant
    step: string
    sentence: string
    notes: string[] | null
    receipt: Reported['receipt']
    receipt_valid: boolean | null
  }>`
    select p.seq, p.job_id, r.release_id, e.title || ' ' || e.version as title, p.at, p.received_at, p.step, p.sentence, p.notes,
      p.receipt, p.receipt_valid
    from report p join device d on d.id = p.device_id left join rollout r on r.id = p.rollout_id
      left join release e on e.id = r.release_id
    where d.key_id = ${keyId} and p.seq < ${before} order by p.seq desc limit ${limit + 1}`.execute(db)
  return pageFrom(
    rows.rows,
    limit,
    (row) => ({ key: String(row.seq), id: keyId }),
    (row) => ({
      seq: row.seq,
      job: String(row.job_id),
      releaseId: row.release_id as Reported['releaseId'],
      release: row.title,
      at: row.at.toString(),
      receivedAt: row.received_at.toString(),
      step: row.step,
      sentence: row.sentence,
      notes: row.notes ?? [],
      receipt: row.receipt,
      receiptValid: row.receipt_valid,
    }),
  )
}
