import type { DeviceSelection } from '@bascule/contract/estate/device.ts'
import { sql, type Updateable } from 'kysely'
import type { Db } from '#/platform/db/database.ts'
import { type DeviceFilter, type ListedDevice, whereFiltered } from './device-list.store.ts'
import type { DeviceRecord, DeviceTable } from './device.tables.ts'

export async function findDevice(db: Db, keyId: string): Promise<DeviceRecord | undefined> {
  return await db.selectFrom('device').selectAll().where('key_id', '=', keyId).executeTakeFirst()
}

/** The device when it lies where the caller may act; locked when it will be changed. */
export async function findCovered(
  db: Db,
  filter: DeviceFilter,
  keyId: string,
  lock = false,
): Promise<DeviceRecord | undefined> {
  const query = db.selectFrom('device').selectAll().where('key_id', '=', keyId).where(whereFiltered(filter))
  return await (lock ? query.forUpdate() : query).executeTakeFirst()
}

export type SelectedForChange = Pick<
  DeviceRecord,
  'id' | 'key_id' | 'name' | 'state' | 'site_id' | 'org_unit_id' | 'owner_person_id' | 'roles' | 'tags'
>

/** Locks what a selection means now, of what the caller may change, in the order of the fleet. */
export async function lockSelected(
  tx: Db,
  filter: DeviceFilter,
  selection: DeviceSelection,
): Promise<SelectedForChange[]> {
  const query = tx
    .selectFrom('device')
    .select(['id', 'key_id', 'name', 'state', 'site_id', 'org_unit_id', 'owner_person_id', 'roles', 'tags'])
    .where(whereFiltered(filter))
    .where(sql<boolean>`${keyList(selection)}`)
  return await query.orderBy('id').forUpdate().execute()
}

function keyList(selection: DeviceSelection) {
  return 'deviceIds' in selection
    ? sql`device.key_id = any(${selection.deviceIds}::text[])`
    : sql`device.key_id <> all(${selection.except}::text[])`
}

export async function updateDevices(tx: Db, ids: readonly number[], change: Updateable<DeviceTable>): Promise<void> {
  await tx
    .updateTable('device')
    .set({ ...change, version: sql`version + 1` })
    .where(sql<boolean>`id = any(${ids}::int[])`)
    .execute()
}

export interface DeviceDetail extends Omit<ListedDevice, 'sort_key'> {
  readonly owner_name: string | null
  readonly site_code: string | null
  readonly org_code: string | null
}

/** What a list shows of one device, with the names of where it belongs. */
export async function findDetail(db: Db, id: number): Promise<DeviceDetail | undefined> {
  const { rows } = await sql<DeviceDetail>`
    select device.id, device.key_id, device.name, device.state, s.name as site, s.code as site_code, o.name as org_unit,
      o.code as org_code, p.name as owner_name, device.roles, device.tags, device.facts ->> 'os' as os,
      device.facts ->> 'os.id' as os_id, device.facts ->> 'os.name' as os_name, device.facts ->> 'os.version' as os_version,
      device.agent_version, device.facts ->> 'disk.free.bytes' as free
    from device left join site s on s.id = device.site_id left join org_unit o on o.id = device.org_unit_id
    left join person p on p.id = device.owner_person_id where device.id = ${id}`.execute(db)
  return rows[0]
}
