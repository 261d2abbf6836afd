import { sql } from 'kysely'
import type { Db } from '#/platform/db/database.ts'
import '../device/device.tables.ts'
import './configuration.tables.ts'

/** Gives every one of these devices its configuration item; those that have one keep it. */
export async function ensureDeviceItems(tx: Db, deviceIds: readonly number[], at: Temporal.Instant): Promise<void> {
  await sql`insert into ci (id, class, key, name, device_id, since_at)
    select gen_random_uuid(), 'device', key_id, name, id, ${at}::timestamptz from device
    where id = any(${deviceIds}::int[]) order by id
    on conflict do nothing`.execute(tx)
}

/** A device that is gone keeps its item and its history; it only stops being in use. */
export async function retireDeviceItems(tx: Db, deviceIds: readonly number[], at: Temporal.Instant): Promise<void> {
  await sql`with gone as (
      update ci set state = 'retired', since_at = ${at}::timestamptz
      where device_id = any(${deviceIds}::int[]) and state = 'in-use' returning id, device_id)
    insert into ci_history (at, ci_id, change, before, after, source)
    select ${at}::timestamptz, id, 'retired', '{"state":"in-use"}', '{"state":"retired"}', 'decommission/' || device_id from gone`.execute(
    tx,
  )
}

export async function renameDeviceItem(tx: Db, deviceId: number, name: string): Promise<void> {
  await tx.updateTable('ci').set({ name }).where('device_id', '=', deviceId).execute()
}
