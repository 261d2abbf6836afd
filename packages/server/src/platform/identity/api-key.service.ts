import type { ApiKeyInput, ApiKeyView } from '@bascule/contract/platform/api-key.ts'
import type { Page, PageInput } from '@bascule/contract/lib/paging.ts'
import { coverageOf, isAllowed, roles } from '@bascule/domain/estate/role.ts'
import type { ApiKeyId } from '@bascule/domain/lib/ids.ts'
import { ok } from '@bascule/domain/lib/result.ts'
import { sql } from 'kysely'
import type { Selectable } from 'kysely'
import { isCovered } from '#/estate/lib/coverage.ts'
import { unknownReferences } from '#/estate/lib/references.ts'
import { placeOf } from '#/estate/person/person.store.ts'
import type { Database } from '#/platform/db/database.ts'
import type { Call } from '#/platform/http/os.ts'
import { record } from '#/platform/ledger/record.ts'
import { allow } from '#/platform/lib/actor.ts'
import { badInput, notFound, refused } from '#/platform/lib/answer.ts'
import type { Answer } from '#/platform/lib/answer.ts'
import { newId } from '#/platform/lib/id.ts'
import { decodeCursor, pageFrom } from '#/platform/lib/keyset.ts'
import { keyPrefix } from './identity.ts'
import { hashOf, newSecret } from './secret.ts'
import './identity.tables.ts'

type ApiKeyRow = Selectable<Database['api_key']>

/** The keys that work where the caller may see keys. */
export async function listApiKeys({ db, actor }: Call, { after, limit }: PageInput): Promise<Page<ApiKeyView>> {
  const cursor = decodeCursor(after)
  const covered = isCovered(coverageOf(actor.grants, 'api-key.read'), { orgUnit: 'org_unit_id', site: 'site_id' })
  let query = db.selectFrom('api_key').selectAll().where(covered)
  if (cursor) query = query.where(sql<boolean>`(created_at, id) > (${cursor.key}::timestamptz, ${cursor.id}::uuid)`)
  const rows = await query
    .orderBy('created_at')
    .orderBy('id')
    .limit(limit + 1)
    .execute()
  return pageFrom(rows, limit, (row) => ({ key: row.created_at.toString(), id: row.id }), viewOf)
}

/**
 * Makes a key for a machine; the key itself is in this answer and nowhere else. A machine never gets to vote or to hand
 * out roles, and never a role somewhere where the maker may not make keys.
 */
export async function createApiKey(call: Call, input: ApiKeyInput): Promise<Answer<ApiKeyView & { key: string }>> {
  return await call.db.transaction().execute(async (tx) => {
    const { orgUnitId = null, siteId = null } = input
    const unknown = await unknownReferences(tx, [
      { table: 'org_unit', field: 'orgUnitId', id: orgUnitId },
      { table: 'site', field: 'siteId', id: siteId },
    ])
    if (unknown.length > 0) return badInput(...unknown)
    const allowed = allow(call.actor, 'api-key.write', await placeOf(tx, orgUnitId, siteId))
    if (!allowed.ok) return allowed
    if (isForPeople(input)) return refused(onlyForPeople(roles[input.role].title))
    const key = newSecret(keyPrefix)
    const row = { ...rowFrom(call, input, key), org_unit_id: orgUnitId, site_id: siteId }
    const created = await tx.insertInto('api_key').values(row).returningAll().executeTakeFirstOrThrow()
    const view = viewOf(created)
    await record(tx, {
      actor: call.actor,
      at: call.now,
      did: 'api-key.created',
      subject: { kind: 'api-key', id: row.id },
      after: view,
    })
    return ok({ ...view, key })
  })
}

/** Ends a key. Servers that remember it forget it with the event of this fact, at the latest after half a minute. */
export async function revokeApiKey(call: Call, id: ApiKeyId): Promise<Answer<ApiKeyView>> {
  return await call.db.transaction().execute(async (tx) => {
    const before = await tx.selectFrom('api_key').selectAll().where('id', '=', id).forUpdate().executeTakeFirst()
    if (before === undefined) return notFound('API key')
    const allowed = allow(call.actor, 'api-key.write', await placeOf(tx, before.org_unit_id, before.site_id))
    if (!allowed.ok) return allowed
    if (before.revoked_at !== null) return ok(viewOf(before))
    const after = { ...before, revoked_at: call.now }
    await tx.updateTable('api_key').set({ revoked_at: call.now }).where('id', '=', id).execute()
    const subject = { kind: 'api-key', id }
    await record(tx, {
      actor: call.actor,
      at: call.now,
      did: 'api-key.revoked',
      subject,
      before: viewOf(before),
      after: viewOf(after),
    })
    return ok(viewOf(after))
  })
}

function isForPeople({ role }: ApiKeyInput): boolean {
  return (['board.vote', 'role.grant', 'api-key.write'] as const).some((permission) =>
    isAllowed([{ role }], permission),
  )
}

function onlyForPeople(title: string) {
  return {
    rule: 'role-for-people-only',
    fact: `${title} decides or hands out rights, which a machine never does.`,
    lifter: 'nobody',
    next: 'Choose a role that works, such as the build pipeline.',
  }
}

const startLength = keyPrefix.length + 6

function rowFrom({ actor, now }: Call, { name, role, expiresInDays }: ApiKeyInput, key: string) {
  const times = { created_at: now, expires_at: now.add({ hours: 24 * expiresInDays }) }
  return {
    id: newId<ApiKeyId>(),
    name,
    start: key.slice(0, startLength),
    hash: hashOf(key),
    role,
    made_by: actor.name,
    ...times,
  }
}

function viewOf(row: ApiKeyRow): ApiKeyView {
  return {
    id: row.id,
    name: row.name,
    start: row.start,
    role: row.role,
    orgUnitId: row.org_unit_id,
    siteId: row.site_id,
    madeBy: row.made_by,
    createdAt: row.created_at.toString(),
    expiresAt: row.expires_at.toString(),
    revokedAt: row.revoked_at?.toString() ?? null,
  }
}
