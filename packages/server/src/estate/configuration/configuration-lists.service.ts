import type { ChangeRow, DriftRow, ItemRow, ItemView } from '@bascule/contract/estate/configuration.ts'
import type { Page } from '@bascule/contract/lib/paging.ts'
import { coverageOf } from '@bascule/domain/estate/role.ts'
import type { ConfigurationItemId, DeviceId } from '@bascule/domain/lib/ids.ts'
import { ok } from '@bascule/domain/lib/result.ts'
import { sql } from 'kysely'
import type { Call } from '#/platform/http/os.ts'
import { notFound, type Answer } from '#/platform/lib/answer.ts'
import { decodeCursor, pageFrom } from '#/platform/lib/keyset.ts'
import { isCovered } from '../lib/coverage.ts'
import type { CiClass } from './configuration.tables.ts'

interface PageOf {
  readonly after?: string | undefined
  readonly limit: number
}

interface ItemRecord {
  readonly id: ConfigurationItemId
  readonly class: CiClass
  readonly key: string
  readonly name: string
  readonly state: 'in-use' | 'retired'
  readonly since_at: Temporal.Instant
}

const itemColumns = sql`ci.id, ci.class, ci.key, ci.name, ci.state, ci.since_at`
/** An item of a device is seen by who may see the device; services and software by everybody who may see the CMDB. */
const deviceOfItem = sql`left join device on device.id = ci.device_id`

function seenBy({ actor }: Call) {
  const covered = isCovered(coverageOf(actor.grants, 'configuration.read'), {
    orgUnit: 'device.org_unit_id',
    site: 'device.site_id',
  })
  return sql`(ci.device_id is null or ${covered})`
}

export async function listItems(
  call: Call,
  input: PageOf & { class?: CiClass | undefined; search?: string | undefined },
): Promise<Page<ItemRow>> {
  const cursor = decodeCursor(input.after)
  const { rows } = await sql<ItemRecord>`
    select ${itemColumns} from ci ${deviceOfItem} where ${seenBy(call)}
      and ${input.class === undefined ? sql`true` : sql`ci.class = ${input.class}`}
      and ${input.search === undefined ? sql`true` : sql`strpos(lower(ci.name), lower(${input.search})) > 0`}
      and ${cursor === undefined ? sql`true` : sql`(lower(ci.name), ci.id) > (${cursor.key}, ${cursor.id}::uuid)`}
    order by lower(ci.name), ci.id limit ${input.limit + 1}`.execute(call.db)
  return pageFrom(rows, input.limit, (row) => ({ key: row.name.toLowerCase(), id: row.id }), itemView)
}

const relationsShown = 100

export async function getItem(call: Call, id: ConfigurationItemId): Promise<Answer<ItemView>> {
  const found = await sql<ItemRecord & { attributes: Record<string, unknown> }>`
    select ${itemColumns}, ci.attributes from ci ${deviceOfItem} where ci.id = ${id}::uuid and ${seenBy(call)}`.execute(
    call.db,
  )
  const [item] = found.rows
  if (item === undefined) return notFound('configuration item')
  const outgoing = await sql<ItemRecord & RelationColumns>`
    select ${itemColumns}, r.kind, r.attributes, r.since_at as related_at from ci_relation r join ci on ci.id = r.to_id ${deviceOfItem}
    where r.from_id = ${id}::uuid and ${seenBy(call)} order by r.kind, lower(ci.name) limit ${relationsShown}`.execute(
    call.db,
  )
  const incoming = await sql<ItemRecord & RelationColumns & { total: number }>`
    select ${itemColumns}, r.kind, r.attributes, r.since_at as related_at, count(*) over () as total
    from ci_relation r join ci on ci.id = r.from_id ${deviceOfItem}
    where r.to_id = ${id}::uuid and ${seenBy(call)} order by r.kind, r.from_id limit ${relationsShown}`.execute(call.db)
  return ok({
    ...itemView(item),
    attributes: item.attributes,
    outgoing: outgoing.rows.map((row) => ({
      kind: row.kind,
      item: itemView(row),
      attributes: row.attributes,
      since: row.related_at.toString(),
    })),
    incoming: incoming.rows.map((row) => ({ kind: row.kind, item: itemView(row), since: row.related_at.toString() })),
    incomingTotal: incoming.rows[0]?.total ?? 0,
  })
}

interface RelationColumns {
  readonly kind: string
  readonly attributes: Record<string, unknown>
  readonly related_at: Temporal.Instant
}

function itemView({ id, class: kind, key, name, state, since_at: since }: ItemRecord): ItemRow {
  return { id, class: kind, key, name, state, since: since.toString() }
}

interface HistoryRecord {
  readonly id: number
  readonly at: Temporal.Instant
  readonly ci_id: ConfigurationItemId
  readonly class: CiClass
  readonly key: string
  readonly name: string
  readonly change: ChangeRow['change']
  readonly slot: string
  readonly before: Record<string, unknown> | null
  readonly after: Record<string, unknown> | null
  readonly release_id: string | null
  readonly source: string
}

/** Every update of the CMDB, newest first, of all or of one item, one device or one release. */
export async function listHistory(
  call: Call,
  input: PageOf & {
    itemId?: ConfigurationItemId | undefined
    deviceId?: DeviceId | undefined
    release?: string | undefined
  },
): Promise<Page<ChangeRow>> {
  const before = Number(decodeCursor(input.after)?.key ?? Number.MAX_SAFE_INTEGER)
  const { rows } = await sql<HistoryRecord>`
    select h.id, h.at, h.ci_id, ci.class, ci.key, ci.name, h.change, h.slot, h.before, h.after, h.release_id, h.source
    from ci_history h join ci on ci.id = h.ci_id ${deviceOfItem}
    where ${seenBy(call)} and h.id < ${Number.isSafeInteger(before) ? before : 0}
      and ${input.itemId === undefined ? sql`true` : sql`h.ci_id = ${input.itemId}::uuid`}
      and ${input.deviceId === undefined ? sql`true` : sql`h.ci_id = (select id from ci where class = 'device' and key = ${input.deviceId})`}
      and ${input.release === undefined ? sql`true` : sql`h.release_id = ${input.release}`}
    order by h.id desc limit ${input.limit + 1}`.execute(call.db)
  return pageFrom(rows, input.limit, (row) => ({ key: String(row.id), id: row.ci_id }), historyView)
}

function historyView(row: HistoryRecord): ChangeRow {
  return {
    id: row.id,
    at: row.at.toString(),
    item: { id: row.ci_id, class: row.class, key: row.key, name: row.name },
    change: row.change,
    package: row.slot === '' ? null : row.slot,
    before: row.before,
    after: row.after,
    releaseId: row.release_id,
    source: row.source,
  }
}

interface DriftRecord {
  readonly device_id: number
  readonly key_id: string
  readonly name: string
  readonly package: string
  readonly kind: DriftRow['kind']
  readonly expected: string | null
  readonly found: string | null
  readonly since_at: Temporal.Instant
}

/** Where devices report other than the CMDB says, in the order of the fleet. */
export async function listDrift(call: Call, input: PageOf): Promise<Page<DriftRow>> {
  const cursor = decodeCursor(input.after)
  const covered = isCovered(coverageOf(call.actor.grants, 'configuration.read'), {
    orgUnit: 'device.org_unit_id',
    site: 'device.site_id',
  })
  const { rows } = await sql<DriftRecord>`
    select d.device_id, device.key_id, device.name, d.package, d.kind, d.expected, d.found, d.since_at
    from drift d join device on device.id = d.device_id
    where ${covered} and ${cursor === undefined ? sql`true` : sql`(d.device_id, d.package) > (${Number(cursor.key) || 0}, ${cursor.id})`}
    order by d.device_id, d.package limit ${input.limit + 1}`.execute(call.db)
  return pageFrom(
    rows,
    input.limit,
    (row) => ({ key: String(row.device_id), id: row.package }),
    ({ key_id: keyId, name, package: pack, kind, expected, found, since_at: since }) => ({
      deviceId: keyId as DeviceId,
      device: name,
      package: pack,
      kind,
      expected,
      found,
      since: since.toString(),
    }),
  )
}
