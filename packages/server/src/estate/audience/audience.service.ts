import { parseQuery } from '@bascule/domain/estate/query/parse-query.ts'
import type { Query } from '@bascule/domain/estate/query/query.ts'
import { type RawBuilder, sql } from 'kysely'
import type { Db } from '#/platform/db/database.ts'
import '../device/device.tables.ts'
import { compileQuery } from './compile-query.ts'
import { loadPlaces, type Places } from './places.ts'

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

export interface PlacedDevice extends SelectedDevice {
  /** Place of the first of the parts that takes the device, from 1; 0 where none does. */
  readonly part: number
}

/** The active devices that a query takes, each with the first of these parts that takes it. Costs no statement per part. */
export async function selectPlaced(db: Db, query: Query, parts: readonly Query[]): Promise<PlacedDevice[]> {
  const places = await loadPlaces(db)
  const part = parts.length === 0 ? sql<number>`0` : firstThatTakes(parts, places)
  return await db
    .selectFrom('device')
    .select(['id', 'key_id as keyId', part.as('part')])
    .where('state', '=', 'active')
    .where(compileQuery(query, places))
    .orderBy('id')
    .execute()
}

function firstThatTakes(parts: readonly Query[], places: Places): RawBuilder<number> {
  const branches = parts.map((part, at) => sql`when ${compileQuery(part, places)} then ${sql.lit(at + 1)}`)
  return sql<number>`case ${sql.join(branches, sql` `)} else 0 end`
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
