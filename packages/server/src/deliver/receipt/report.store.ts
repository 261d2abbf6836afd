import type { Report } from '@bascule/contract/device/protocol.ts'
import { sql } from 'kysely'
import type { Db } from '#/platform/db/database.ts'

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
    select d, s, j, (select rollout_id from job where id = j), t, ${now}::timestamptz, p, w, n, r, v
    from unnest(${arrived.map((a) => a.deviceId)}::int[], ${arrived.map((a) => a.report.seq)}::bigint[],
      ${arrived.map((a) => a.report.job)}::bigint[], ${arrived.map((a) => a.report.at)}::timestamptz[],
      ${arrived.map((a) => a.report.step)}::text[], ${arrived.map((a) => a.sentence)}::text[],
      ${arrived.map((a) => (a.report.notes.length > 0 ? JSON.stringify(a.report.notes) : null))}::jsonb[],
      ${arrived.map((a) => (a.report.receipt ? JSON.stringify(a.report.receipt) : null))}::jsonb[],
      ${arrived.map((a) => a.receiptValid)}::boolean[]) as a (d, s, j, t, p, w, n, r, v)
    on conflict do nothing returning device_id, seq`.execute(tx)
  return new Set(rows.rows.map((row) => reportKey(row.device_id, row.seq)))
}

export function reportKey(deviceId: number, seq: number): string {
  return `${deviceId} ${seq}`
}

/** The highest number up to which a device's reports are stored without a gap. */
export async function reportHighOf(db: Db, deviceId: number): Promise<number> {
  const row = await sql<{ high: number }>`
    select coalesce(max(seq), 0)::bigint as high from report where device_id = ${deviceId}`.execute(db)
  return row.rows[0]?.high ?? 0
}
