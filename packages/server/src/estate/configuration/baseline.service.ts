import type { BaselineDifference, BaselineView } from '@bascule/contract/estate/configuration.ts'
import type { Page } from '@bascule/contract/lib/paging.ts'
import { diffBaselines } from '@bascule/domain/estate/configuration/baseline.ts'
import { formatQuery } from '@bascule/domain/estate/query/format-query.ts'
import { parseQuery } from '@bascule/domain/estate/query/parse-query.ts'
import type { Query } from '@bascule/domain/estate/query/query.ts'
import type { BaselineId, DeviceId } from '@bascule/domain/lib/ids.ts'
import { ok } from '@bascule/domain/lib/result.ts'
import { type RawBuilder, type Selectable, sql } from 'kysely'
import { readWithin, writeWithin } from '#/platform/db/read-within.ts'
import type { Db } from '#/platform/db/database.ts'
import type { Call } from '#/platform/http/os.ts'
import { record } from '#/platform/ledger/record.ts'
import { allow } from '#/platform/lib/actor.ts'
import { badInput, notFound, type Answer } from '#/platform/lib/answer.ts'
import { newId } from '#/platform/lib/id.ts'
import { decodeCursor, pageFrom } from '#/platform/lib/keyset.ts'
import { compileQuery } from '../audience/compile-query.ts'
import { loadPlaces } from '../audience/places.ts'
import type { BaselineTable } from './configuration.tables.ts'

export interface BaselineInput {
  readonly label: string
  /** Active devices that match now, or devices by their fleet indexes. */
  readonly of: { readonly query: Query } | { readonly deviceIds: readonly number[] }
  readonly release?: string | undefined
  readonly madeBy: string
  readonly at: Temporal.Instant
}

/** Keeps what devices run at this moment, by the CMDB. Two baselines of the same content have the same SHA-256. */
export async function takeBaseline(tx: Db, { label, of, release, madeBy, at }: BaselineInput): Promise<BaselineView> {
  const deviceIds = 'deviceIds' in of ? [...of.deviceIds] : null
  const scope = 'query' in of ? formatQuery(of.query) : `${of.deviceIds.length} devices`
  const where = await scopeWhere(tx, of)
  const { rows } = await sql<BaselineListed>`
    with entry as (${entriesWhere(where)}), whole as (${contentOf()})
    insert into baseline (id, label, at, scope, device_ids, release_id, devices, entries, sha256, content, made_by)
    select ${newId<BaselineId>()}::uuid, ${label}, ${at}::timestamptz, ${scope}, ${deviceIds}::int[], ${release ?? null},
      (select count(*) from device where ${where}), whole.entries, encode(sha256(convert_to(whole.content, 'UTF8')), 'hex'),
      whole.content, ${madeBy} from whole
    returning id, label, at, scope, release_id, devices, entries, sha256, made_by`.execute(tx)
  const [row] = rows
  if (row === undefined) throw new Error('Keeping a baseline gave no row')
  return viewOf(row)
}

/** A person keeps a baseline of the devices that match a query. */
export async function keepBaseline(
  call: Call,
  { label, query: text }: { label: string; query: string },
): Promise<Answer<BaselineView>> {
  const allowed = allow(call.actor, 'configuration.write', {})
  if (!allowed.ok) return allowed
  const query = parseQuery(text)
  if (!query.ok) return badInput({ field: 'query', problem: query.error.message })
  return await writeWithin(call.db, async (tx, ask) => {
    const input = { label, of: { query: query.value }, madeBy: call.actor.name, at: call.now }
    const taken = await ask(async () => await takeBaseline(tx, input))
    await record(tx, {
      actor: call.actor,
      at: call.now,
      did: 'baseline.taken',
      subject: { kind: 'baseline', id: taken.id },
      after: taken,
    })
    return ok(taken)
  })
}

export async function listBaselines(
  db: Db,
  input: { release?: string | undefined; after?: string | undefined; limit: number },
): Promise<Page<BaselineView>> {
  const cursor = decodeCursor(input.after)
  const { rows } = await sql<BaselineListed>`
    select id, label, at, scope, release_id, devices, entries, sha256, made_by from baseline
    where ${input.release === undefined ? sql`true` : sql`release_id = ${input.release}`}
      and ${cursor === undefined ? sql`true` : sql`(at, id) < (${cursor.key}::timestamptz, ${cursor.id}::uuid)`}
    order by at desc, id desc limit ${input.limit + 1}`.execute(db)
  return pageFrom(rows, input.limit, (row) => ({ key: row.at.toString(), id: row.id }), viewOf)
}

/** What differs from a baseline to another, or to what its devices run now. The first thousand, and how many there are. */
export async function differences(
  db: Db,
  id: BaselineId,
  against: BaselineId | undefined,
): Promise<Answer<{ total: number; items: BaselineDifference[] }>> {
  const before = await findBaseline(db, id)
  if (before === undefined) return notFound('baseline')
  const now = against === undefined ? await readWithin(db, async (tx) => await contentNow(tx, before)) : undefined
  if (now?.ok === false) return now
  const after = against === undefined ? now?.value : (await findBaseline(db, against))?.content
  if (after === undefined) return notFound('baseline to compare with')
  const found = diffBaselines(before.content, after)
  const shown = found.slice(0, 1000)
  const names = await deviceNames(
    db,
    shown.map(({ device }) => device),
  )
  const items = shown.map(({ device, ...rest }) => ({
    deviceId: device as DeviceId,
    device: names.get(device) ?? device,
    ...rest,
  }))
  return ok({ total: found.length, items })
}

async function deviceNames(db: Db, keyIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (keyIds.length === 0) return new Map()
  const rows = await db
    .selectFrom('device')
    .select(['key_id', 'name'])
    .where('key_id', 'in', [...new Set(keyIds)])
    .execute()
  return new Map(rows.map((row) => [row.key_id, row.name]))
}

type BaselineListed = Omit<Selectable<BaselineTable>, 'content' | 'device_ids'>

async function findBaseline(db: Db, id: BaselineId): Promise<Selectable<BaselineTable> | undefined> {
  return await db.selectFrom('baseline').selectAll().where('id', '=', id).executeTakeFirst()
}

async function contentNow(db: Db, baseline: Selectable<BaselineTable>): Promise<string> {
  const parsed = parseQuery(baseline.scope)
  const of =
    baseline.device_ids === null && parsed.ok ? { query: parsed.value } : { deviceIds: baseline.device_ids ?? [] }
  const where = await scopeWhere(db, of)
  const { rows } = await sql<{ content: string }>`with entry as (${entriesWhere(where)}) ${contentOf()}`.execute(db)
  return rows[0]?.content ?? ''
}

async function scopeWhere(db: Db, of: BaselineInput['of']): Promise<RawBuilder<boolean>> {
  if ('deviceIds' in of) return sql`device.id = any(${[...of.deviceIds]}::int[])`
  return sql`device.state = 'active' and ${compileQuery(of.query, await loadPlaces(db))}`
}

function entriesWhere(where: RawBuilder<boolean>) {
  return sql`select device.key_id || e'\t' || r.slot || e'\t' || (r.attributes ->> 'version') || e'\t' || (r.attributes ->> 'digest') as line
    from device join ci on ci.device_id = device.id join ci_relation r on r.from_id = ci.id and r.kind = 'runs' where ${where}`
}

function contentOf() {
  return sql`select coalesce(string_agg(line, e'\n' order by line collate "C"), '') as content, count(*)::int as entries from entry`
}

function viewOf(row: BaselineListed): BaselineView {
  return {
    id: row.id,
    label: row.label,
    at: row.at.toString(),
    scope: row.scope,
    releaseId: row.release_id,
    devices: row.devices,
    entries: row.entries,
    sha256: row.sha256,
    madeBy: row.made_by,
  }
}
