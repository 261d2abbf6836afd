import type { AudienceChange, AudienceInput, AudienceView } from '@bascule/contract/estate/audience.ts'
import type { Page, PageInput } from '@bascule/contract/lib/paging.ts'
import { formatQuery } from '@bascule/domain/estate/query/format-query.ts'
import { parseQuery } from '@bascule/domain/estate/query/parse-query.ts'
import type { QueryProblem } from '@bascule/domain/estate/query/query.ts'
import type { AudienceId } from '@bascule/domain/lib/ids.ts'
import { ok } from '@bascule/domain/lib/result.ts'
import { sql } from 'kysely'
import { readWithin } from '#/platform/db/read-within.ts'
import type { Db } from '#/platform/db/database.ts'
import type { Call } from '#/platform/http/os.ts'
import { type Fact, record } from '#/platform/ledger/record.ts'
import { allow } from '#/platform/lib/actor.ts'
import { badInput, notFound, refused, type Answer } from '#/platform/lib/answer.ts'
import { newId } from '#/platform/lib/id.ts'
import { decodeCursor, pageFrom } from '#/platform/lib/keyset.ts'
import { alreadyThere, changedMeanwhile, entityView } from '../lib/entity.ts'
import type { AudienceRecord } from '../device/device.tables.ts'
import { countSelected } from './audience.service.ts'

export async function listAudiences(db: Db, { after, limit }: PageInput): Promise<Page<AudienceView>> {
  const cursor = decodeCursor(after)
  let query = db.selectFrom('audience').selectAll().where('retired_at', 'is', null)
  if (cursor) query = query.where(sql<boolean>`(lower(name), id) > (${cursor.key}, ${cursor.id}::uuid)`)
  const rows = await query
    .orderBy(sql`lower(name)`)
    .orderBy('id')
    .limit(limit + 1)
    .execute()
  return pageFrom(rows, limit, (row) => ({ key: row.name.toLowerCase(), id: row.id }), viewOf)
}

export async function createAudience(call: Call, input: AudienceInput): Promise<Answer<AudienceView>> {
  const allowed = allow(call.actor, 'audience.write', {})
  if (!allowed.ok) return allowed
  const problem = problemOfQuery(input.query)
  if (problem) return problem
  return await call.db.transaction().execute(async (tx) => {
    if (await isNameTaken(tx, input.name)) return refused(alreadyThere('an audience', 'name', input.name))
    const row = await tx
      .insertInto('audience')
      .values({ ...input, id: newId<AudienceId>(), made_by: call.actor.name, created_at: call.now, retired_at: null })
      .returningAll()
      .executeTakeFirstOrThrow()
    await record(tx, factOf(call, 'audience.created', undefined, row))
    return ok(viewOf(row))
  })
}

export async function changeAudience(
  call: Call,
  { audienceId, version, name, query }: AudienceChange,
): Promise<Answer<AudienceView>> {
  const problem = query === undefined ? undefined : problemOfQuery(query)
  if (problem) return problem
  const change = { ...(name === undefined ? {} : { name }), ...(query === undefined ? {} : { query }) }
  return await changeLocked(call, audienceId, version, 'audience.changed', change)
}

export async function retireAudience(call: Call, id: AudienceId): Promise<Answer<AudienceView>> {
  return await changeLocked(call, id, undefined, 'audience.retired', { retired_at: call.now })
}

/** What a query means and how many active devices it takes now; one that is none is answered with its place. */
export async function checkQuery(
  db: Db,
  text: string,
): Promise<Answer<{ problem: QueryProblem | null; formatted: string; devices: number }>> {
  const parsed = parseQuery(text)
  if (!parsed.ok) return ok({ problem: parsed.error, formatted: text, devices: 0 })
  const counted = await readWithin(db, async (tx) => await countSelected(tx, parsed.value))
  return counted.ok ? ok({ problem: null, formatted: formatQuery(parsed.value), devices: counted.value }) : counted
}

async function changeLocked(
  call: Call,
  id: AudienceId,
  version: number | undefined,
  did: string,
  change: { name?: string; query?: string; retired_at?: Temporal.Instant },
): Promise<Answer<AudienceView>> {
  const allowed = allow(call.actor, 'audience.write', {})
  if (!allowed.ok) return allowed
  return await call.db.transaction().execute(async (tx) => {
    const before = await tx.selectFrom('audience').selectAll().where('id', '=', id).forUpdate().executeTakeFirst()
    if (before === undefined) return notFound('audience')
    const refusal = changedMeanwhile(version, before)
    if (refusal) return refused(refusal)
    if (
      change.name !== undefined &&
      change.name.toLowerCase() !== before.name.toLowerCase() &&
      (await isNameTaken(tx, change.name))
    ) {
      return refused(alreadyThere('an audience', 'name', change.name))
    }
    const after = await tx
      .updateTable('audience')
      .set({ ...change, version: sql`version + 1` })
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirstOrThrow()
    await record(tx, factOf(call, did, before, after))
    return ok(viewOf(after))
  })
}

async function isNameTaken(tx: Db, name: string): Promise<boolean> {
  const row = await tx
    .selectFrom('audience')
    .select('id')
    .where(sql<boolean>`lower(name) = lower(${name})`)
    .where('retired_at', 'is', null)
    .executeTakeFirst()
  return row !== undefined
}

/** Why a text is no query, at its place; undefined when it is one. */
export function problemOfQuery(query: string) {
  const parsed = parseQuery(query)
  if (parsed.ok) return undefined
  return badInput({ field: 'query', problem: `${parsed.error.message} (at character ${parsed.error.at + 1})` })
}

function factOf(call: Call, did: string, before: AudienceRecord | undefined, after: AudienceRecord): Fact {
  const subject = { kind: 'audience', id: after.id }
  return { actor: call.actor, at: call.now, did, subject, before: before && viewOf(before), after: viewOf(after) }
}

function viewOf(row: AudienceRecord): AudienceView {
  return { id: row.id, name: row.name, query: row.query, madeBy: row.made_by, ...entityView(row) }
}
