import type { Coverage } from '@bascule/domain/estate/role.ts'
import type { DeviceState } from '@bascule/domain/estate/device/device-state.ts'
import type { Query } from '@bascule/domain/estate/query/query.ts'
import type { DeviceOrder } from '@bascule/contract/estate/device.ts'
import { type RawBuilder, sql } from 'kysely'
import type { Db } from '#/platform/db/database.ts'
import type { Cursor } from '#/platform/lib/keyset.ts'
import { compileQuery } from '../audience/compile-query.ts'
import type { Places } from '../audience/places.ts'
import { isCovered } from '../lib/coverage.ts'
import './device.tables.ts'

/** Which devices somebody looks at: those that match and that this person may see. */
export interface DeviceFilter {
  readonly query: Query
  readonly places: Places
  readonly coverage: Coverage
  /** What a read model asks beyond the query; it speaks of `device`. */
  readonly also?: RawBuilder<boolean> | undefined
}

export interface DeviceSort {
  readonly by: DeviceOrder
  readonly isDescending: boolean
}

export interface ListedDevice {
  readonly id: number
  readonly key_id: string
  readonly name: string
  readonly state: DeviceState
  readonly site: string | null
  readonly org_unit: string | null
  readonly roles: string[]
  readonly tags: string[]
  readonly os: string | null
  readonly os_id: string | null
  readonly os_name: string | null
  readonly os_version: string | null
  readonly agent_version: string
  readonly free: string | null
  readonly sort_key: string
}

/** The text by which a list is ordered. Those without a join lie in an index together with the fleet index. */
const sortKeys: Record<DeviceOrder, RawBuilder<string>> = {
  name: sql`lower(device.name)`,
  state: sql`device.state`,
  os: sql`(coalesce(device.order_keys ->> 'os', '') || coalesce(device.order_keys ->> 'os.version', '')) collate "C"`,
  version: sql`coalesce(device.order_keys ->> 'agent.version', '') collate "C"`,
  free: sql`coalesce(device.order_keys ->> 'disk.free.bytes', '') collate "C"`,
  site: sql`coalesce(lower(site.name), '')`,
  org: sql`coalesce(lower(org_unit.name), '')`,
  // Twelve digits of microseconds more than anybody needs: as text it sorts as the instant does.
  seen: sql`to_char(coalesce(device_presence.last_seen_at, 'epoch') at time zone 'UTC', 'YYYYMMDDHH24MISSUS') collate "C"`,
}

/** Only what the order needs is joined, so that an index on `device` alone can give it. */
const sortJoins: Partial<Record<DeviceOrder, RawBuilder<unknown>>> = {
  site: sql`left join site on site.id = device.site_id`,
  org: sql`left join org_unit on org_unit.id = device.org_unit_id`,
  seen: sql`left join device_presence on device_presence.device_id = device.id`,
}

export function whereFiltered({ query, places, coverage, also }: DeviceFilter): RawBuilder<boolean> {
  const covered = isCovered(coverage, { orgUnit: 'device.org_unit_id', site: 'device.site_id' })
  return sql`${compileQuery(query, places)} and ${covered} and ${also ?? sql`true`}`
}

/** The page of ids first, by index; their columns after that, for these few only. */
export function devicePage(filter: DeviceFilter, sort: DeviceSort, after: Cursor | undefined, limit: number) {
  const key = sortKeys[sort.by]
  const direction = sql.raw(sort.isDescending ? 'desc' : 'asc')
  const beyond = sql.raw(sort.isDescending ? '<' : '>')
  const rest = after === undefined ? sql`true` : sql`(${key}, device.id) ${beyond} (${after.key}, ${after.id}::int)`
  return sql<ListedDevice>`
    with page as materialized (
      select device.id, ${key} as sort_key from device ${sortJoins[sort.by] ?? sql``}
      where ${whereFiltered(filter)} and ${rest}
      order by ${key} ${direction}, device.id ${direction} limit ${limit})
    select device.id, device.key_id, device.name, device.state, s.name as site, o.name as org_unit, device.roles, device.tags,
      device.facts ->> 'os' as os, device.facts ->> 'os.id' as os_id, device.facts ->> 'os.name' as os_name,
      device.facts ->> 'os.version' as os_version, device.agent_version, device.facts ->> 'disk.free.bytes' as free, page.sort_key
    from page join device on device.id = page.id
    left join site s on s.id = device.site_id left join org_unit o on o.id = device.org_unit_id
    order by page.sort_key ${direction}, device.id ${direction}`
}

/** The last row of every block of `every` rows: what to pass as `after` to begin with the next block. */
export async function anchorsOf(
  db: Db,
  filter: DeviceFilter,
  sort: DeviceSort,
  every: number,
): Promise<{ total: number; cursors: Cursor[] }> {
  const key = sortKeys[sort.by]
  const direction = sql.raw(sort.isDescending ? 'desc' : 'asc')
  const { rows } = await sql<{ id: number; sort_key: string; place: number; total: number }>`
    select id, sort_key, place, total from (
      select device.id, ${key} as sort_key, count(*) over () as total,
        row_number() over (order by ${key} ${direction}, device.id ${direction}) as place
      from device ${sortJoins[sort.by] ?? sql``} where ${whereFiltered(filter)}) numbered
    where place % ${every}::int = 0 or place = total order by place`.execute(db)
  const total = rows[0]?.total ?? 0
  const between = rows.filter((row) => row.place % every === 0 && row.place < total)
  return { total, cursors: between.map((row) => ({ key: row.sort_key, id: String(row.id) })) }
}

export async function countDevices(db: Db, filter: DeviceFilter): Promise<{ total: number; active: number }> {
  const { rows } = await sql<{ total: number; active: number }>`
    select count(*)::int as total, (count(*) filter (where device.state = 'active'))::int as active
    from device where ${whereFiltered(filter)}`.execute(db)
  return rows[0] ?? { total: 0, active: 0 }
}
