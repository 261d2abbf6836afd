import { parseQuery } from '@bascule/domain/estate/query/parse-query.ts'
import type { Query } from '@bascule/domain/estate/query/query.ts'
import type { Db } from '#/platform/db/database.ts'
import '../device/device.tables.ts'
import { compileQuery } from './compile-query.ts'
import { loadPlaces } from './places.ts'

export interface SelectedDevice {
  /** The fleet index. */
  readonly id: number
  readonly keyId: string
}

/** The active devices that a query takes, in the order of the fleet. */
export async function selectDevices(db: Db, query: Query): Promise<SelectedDevice[]> {
  return await db
    .selectFrom('device')
    .select(['id', 'key_id as keyId'])
    .where('state', '=', 'active')
    .where(compileQuery(query, await loadPlaces(db)))
    .orderBy('id')
    .execute()
}

/** Whether a query, as text that was checked when it was stored, takes this device, if it is active. */
export async function matchesDevice(db: Db, queryText: string, deviceId: number): Promise<boolean> {
  const parsed = parseQuery(queryText)
  if (!parsed.ok) throw new Error(`The stored query "${queryText}" is not one: ${parsed.error.message}`)
  const found = await db
    .selectFrom('device')
    .select('id')
    .where('id', '=', deviceId)
    .where('state', '=', 'active')
    .where(compileQuery(parsed.value, await loadPlaces(db)))
    .executeTakeFirst()
  return found !== undefined
}

/** How many active devices a query takes. */
export async function countSelected(db: Db, query: Query): Promise<number> {
  const { devices } = await db
    .selectFrom('device')
    .select((eb) => eb.fn.countAll<number>().as('devices'))
    .where('state', '=', 'active')
    .where(compileQuery(query, await loadPlaces(db)))
    .executeTakeFirstOrThrow()
  return devices
}
