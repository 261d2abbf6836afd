import type { Page } from '@bascule/contract/lib/paging.ts'
import type { DeviceOrder, DeviceRow } from '@bascule/contract/estate/device.ts'
import type { DeviceState } from '@bascule/domain/estate/device/device-state.ts'
import { parseQuery } from '@bascule/domain/estate/query/parse-query.ts'
import { coverageOf } from '@bascule/domain/estate/role.ts'
import { ok } from '@bascule/domain/lib/result.ts'
import type { DeviceId } from '@bascule/domain/lib/ids.ts'
import type { Permission } from '@bascule/domain/estate/permission.ts'
import { readWithin } from '#/platform/db/read-within.ts'
import { badInput, type Answer } from '#/platform/lib/answer.ts'
import { decodeCursor, encodeCursor, pageFrom } from '#/platform/lib/keyset.ts'
import type { Call } from '#/platform/http/os.ts'
import { loadPlaces } from '../audience/places.ts'
import {
  anchorsOf,
  countDevices,
  devicePage,
  type DeviceFilter,
  type DeviceSort,
  type ListedDevice,
} from './device-list.store.ts'
import type { Fleet } from './fleet.ts'

/** A call about devices: what a service takes that has to know who is silent. */
export interface DeviceCall extends Call {
  readonly fleet: Fleet
}

export interface ListInput {
  readonly query: string
  readonly order: string
  /** What a read model asks beyond the query. */
  readonly also?: DeviceFilter['also']
}

/** One page of the fleet under a filter and in an order. */
export async function listDevices(
  call: DeviceCall,
  input: ListInput & { after?: string | undefined; limit: number },
): Promise<Answer<Page<DeviceRow>>> {
  const filter = await filterFrom(call, input.query, 'device.read')
  if (!filter.ok) return filter
  const page = devicePage(
    { ...filter.value, also: input.also },
    sortFrom(input.order),
    cursorFrom(input.after),
    input.limit + 1,
  )
  const read = await readWithin(call.db, async (tx) => await page.execute(tx))
  if (!read.ok) return read
  return ok(
    pageFrom(
      read.value.rows,
      input.limit,
      (row) => ({ key: row.sort_key, id: String(row.id) }),
      (row) => rowView(call, row),
    ),
  )
}

/** Where the blocks of a list begin, so that a table can jump to row 50,000 with one page. */
export async function listAnchors(
  call: DeviceCall,
  input: ListInput & { every: number },
): Promise<Answer<{ total: number; cursors: string[] }>> {
  const filter = await filterFrom(call, input.query, 'device.read')
  if (!filter.ok) return filter
  const whole = { ...filter.value, also: input.also }
  const read = await readWithin(call.db, async (tx) => await anchorsOf(tx, whole, sortFrom(input.order), input.every))
  return read.ok ? ok({ total: read.value.total, cursors: read.value.cursors.map(encodeCursor) }) : read
}

export async function countMatching(
  call: DeviceCall,
  query: string,
): Promise<Answer<{ total: number; active: number; silent: number }>> {
  const filter = await filterFrom(call, query, 'device.read')
  if (!filter.ok) return filter
  const silentOnly: DeviceFilter = {
    ...filter.value,
    query: { kind: 'and', of: [filter.value.query, { kind: 'is', key: 'state', value: 'silent' }] },
  }
  return await readWithin(call.db, async (tx) => {
    const counted = await countDevices(tx, filter.value)
    const silent = silentIds(call).length === 0 ? 0 : (await countDevices(tx, silentOnly)).total
    return { ...counted, silent }
  })
}

/** What the caller may see or do with a permission, of what matches. A query that is none is answered with its place. */
export async function filterFrom(
  call: DeviceCall,
  text: string,
  permission: Permission,
): Promise<Answer<DeviceFilter>> {
  const query = parseQuery(text)
  if (!query.ok)
    return badInput({ field: 'query', problem: `${query.error.message} (at character ${query.error.at + 1})` })
  const places = { ...(await loadPlaces(call.db)), silentIds: () => silentIds(call) }
  return ok({ query: query.value, places, coverage: coverageOf(call.actor.grants, permission) })
}

function silentIds({ fleet, now }: DeviceCall): number[] {
  return fleet.silentIndexes(now.epochMilliseconds)
}

function sortFrom(order: string): DeviceSort {
  const isDescending = order.startsWith('-')
  const by = (isDescending ? order.slice(1) : order) as DeviceOrder | ''
  return { by: by === '' ? 'name' : by, isDescending }
}

/** The id of a cursor is a fleet index; what is none begins at the start. */
function cursorFrom(after: string | undefined) {
  const cursor = decodeCursor(after)
  return cursor !== undefined && /^\d{1,9}$/.test(cursor.id) ? cursor : undefined
}

export function rowView({ fleet, now }: DeviceCall, row: Omit<ListedDevice, 'sort_key'>): DeviceRow {
  const seenMs = fleet.lastSeenMs(row.id)
  return {
    id: row.key_id as DeviceId,
    name: row.name,
    state: shownState(row.state, fleet.isSilent(row.id, now.epochMilliseconds)),
    site: row.site,
    orgUnit: row.org_unit,
    roles: row.roles,
    tags: row.tags,
    os: row.os_name ?? ([row.os_id ?? row.os, row.os_version].filter(Boolean).join(' ') || 'unknown'),
    agentVersion: row.agent_version,
    freeDiskBytes: row.free === null || !Number.isFinite(Number(row.free)) ? null : Number(row.free),
    lastSeenAt: seenMs === 0 ? null : Temporal.Instant.fromEpochMilliseconds(Math.round(seenMs)).toString(),
  }
}

function shownState(state: DeviceState, isSilent: boolean): DeviceRow['state'] {
  return state === 'active' && isSilent ? 'silent' : state
}
