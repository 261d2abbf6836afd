import type { Report } from '@bascule/contract/device/protocol.ts'
import { sql, type Selectable } from 'kysely'
import type { Db } from '#/platform/db/database.ts'
import type { AssignmentTable } from '../rollout/rollout.tables.ts'

export interface ArrivedReport {
  readonly deviceId: number
  readonly report: Report
  readonly sentence: string
  readonly receiptValid: boolean | null
}

/** Stores reports and says which were new. A number that was stored before changes nothing. */
export async function insertReports(tx: Db, arrived: readonly ArrivedReport[], now: string): Promise<Set<string>> {
  const rows = await sql<{ device_id: number; seq: number }>`
    insert into report (device_id, seq, job_id, rollout_id, at, received_at, step, sentence, notes, receipt, receipt_valid)
    select d, s, j, (select rollout_id from job where id = j and device_id = d), t, ${now}::timestamptz, p, w, n, r, v
    from unnest(${arrived.map((a) => a.deviceId)}::int[], ${arrived.map((a) => a.report.seq)}::bigint[],
      ${arrived.map((a) => a.report.job)}::bigint[], ${arrived.map((a) => a.report.at)}::timestamptz[],
      ${arrived.map((a) => a.report.step)}::text[], ${arrived.map((a) => clean(a.sentence))}::text[],
      ${arrived.map((a) => (a.report.notes.length > 0 ? storable(a.report.notes) : null))}::jsonb[],
      ${arrived.map((a) => (a.report.receipt ? storable(a.report.receipt) : null))}::jsonb[],
      ${arrived.map((a) => a.receiptValid)}::boolean[]) as a (d, s, j, t, p, w, n, r, v)
    on conflict do nothing returning device_id, seq`.execute(tx)
  return new Set(rows.rows.map((row) => reportKey(row.device_id, row.seq)))
}

/**
 * PostgreSQL stores neither NUL nor half a surrogate pair, and the output of a health command may hold both. One such
 * character must not keep all later reports of the device from being stored.
 */
function storable(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'string' ? clean(part) : part))
}

function clean(text: string): string {
  return text.toWellFormed().replaceAll('\u0000', '\uFFFD')
}

export function reportKey(deviceId: number, seq: number): string {
  return `${deviceId} ${seq}`
}

/** Moves each device's high-water mark up to the highest of its stored reports. They are stored without a gap. */
export async function raiseReportHighs(tx: Db, arrived: readonly ArrivedReport[]): Promise<void> {
  const highs = new Map<number, number>()
  for (const { deviceId, report } of arrived) highs.set(deviceId, Math.max(highs.get(deviceId) ?? 0, report.seq))
  await sql`
    insert into assignment as a (device_id, generation, report_high)
    select d, 0, h from unnest(${[...highs.keys()]}::int[], ${[...highs.values()]}::bigint[]) as n (d, h) order by d
    on conflict (device_id) do update set report_high = greatest(a.report_high, excluded.report_high)`.execute(tx)
}

/** What the memory of the fleet begins with after a start: per device its generation and its stored reports. */
export async function readSyncStates(
  db: Db,
): Promise<Pick<Selectable<AssignmentTable>, 'device_id' | 'generation' | 'report_high' | 'expires_at'>[]> {
  return await db.selectFrom('assignment').select(['device_id', 'generation', 'report_high', 'expires_at']).execute()
}
