import { createHash, randomBytes } from 'node:crypto'
import type { EnrolmentTokenInput, EnrolmentTokenView } from '@bascule/contract/estate/enrolment-token.ts'
import type { Page, PageInput } from '@bascule/contract/lib/paging.ts'
import type { EnrolmentTokenId } from '@bascule/domain/lib/ids.ts'
import { coverageOf } from '@bascule/domain/estate/role.ts'
import { ok } from '@bascule/domain/lib/result.ts'
import { sha256Hex } from '@bascule/trust/keys.ts'
import { sql } from 'kysely'
import type { Db } from '#/platform/db/database.ts'
import type { Call } from '#/platform/http/os.ts'
import { record } from '#/platform/ledger/record.ts'
import { allow } from '#/platform/lib/actor.ts'
import { badInput, notFound, type Answer } from '#/platform/lib/answer.ts'
import { newId } from '#/platform/lib/id.ts'
import { decodeCursor, pageFrom } from '#/platform/lib/keyset.ts'
import { isCovered } from '../lib/coverage.ts'
import { loadReferences, resolve } from '../lib/references.ts'
import type { EnrolmentTokenRecord } from '../device/device.tables.ts'

export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token, 'utf8').digest()
}

/** The token of this text, locked, so that its uses are counted one after the other. */
export async function lockToken(tx: Db, token: string): Promise<EnrolmentTokenRecord | undefined> {
  return await tx
    .selectFrom('enrolment_token')
    .selectAll()
    .where('hash', '=', hashToken(token))
    .forUpdate()
    .executeTakeFirst()
}

export async function countTokenUse(tx: Db, id: EnrolmentTokenId): Promise<void> {
  await tx
    .updateTable('enrolment_token')
    .set({ uses: sql`uses + 1` })
    .where('id', '=', id)
    .execute()
}

/**
 * Makes a token. Its text is in this answer and nowhere else: only the hash is kept. With it comes the fingerprint of
 * the first root, so that a device that is enrolled with both has to believe nobody.
 */
export async function createEnrolmentToken(
  call: Call,
  input: EnrolmentTokenInput,
  firstRoot: string | null,
): Promise<Answer<EnrolmentTokenView & { token: string; rootSha256: string | null }>> {
  const problems: { field: string; problem: string; line?: number }[] = []
  const references = await loadReferences(call.db)
  const cell = (field: string, value: string | null | undefined, what: string) => ({
    line: 1,
    field,
    value: value ?? undefined,
    what,
  })
  const site = resolve(references.sites, cell('site', input.site, 'site'), problems)
  const unit = resolve(references.orgUnits, cell('orgUnit', input.orgUnit, 'org unit'), problems)
  if (problems.length > 0) return badInput(...problems.map(({ field, problem }) => ({ field, problem })))
  const allowed = allow(call.actor, 'device.enrol', { site: site?.id, orgUnitPath: unit?.path })
  if (!allowed.ok) return allowed
  const token = `bet_${randomBytes(32).toString('base64url')}`
  return await call.db.transaction().execute(async (tx) => {
    const row = await tx
      .insertInto('enrolment_token')
      .values({
        id: newId<EnrolmentTokenId>(),
        label: input.label,
        hash: hashToken(token),
        site_id: site?.id ?? null,
        org_unit_id: unit?.id ?? null,
        roles: Array.from(new Set(input.roles)),
        auto_approve: input.autoApprove,
        uses_max: input.usesMax,
        from_network: input.fromNetwork ?? null,
        made_by: call.actor.name,
        created_at: call.now,
        expires_at: call.now.add({ hours: input.validHours }),
        revoked_at: null,
      })
      .returningAll()
      .executeTakeFirstOrThrow()
    const view = viewOf({ ...row, site: input.site ?? null, org_unit: input.orgUnit ?? null }, call.now)
    await record(tx, {
      actor: call.actor,
      at: call.now,
      did: 'enrolment-token.created',
      subject: { kind: 'enrolment-token', id: row.id },
      after: view,
    })
    return ok({ ...view, token, rootSha256: firstRoot === null ? null : sha256Hex(firstRoot) })
  })
}

type ListedToken = EnrolmentTokenRecord & { readonly site: string | null; readonly org_unit: string | null }

/** The tokens for places where the caller sees devices. */
export async function listEnrolmentTokens(
  { db, actor, now }: Call,
  { after, limit }: PageInput,
): Promise<Page<EnrolmentTokenView>> {
  const cursor = decodeCursor(after)
  const covered = isCovered(coverageOf(actor.grants, 'device.read'), { orgUnit: 't.org_unit_id', site: 't.site_id' })
  const rest = cursor ? sql`(t.created_at, t.id) < (${cursor.key}::timestamptz, ${cursor.id}::uuid)` : sql`true`
  const rows = await listed(db, sql`${covered} and ${rest}`, limit + 1)
  return pageFrom(
    rows,
    limit,
    (row) => ({ key: row.created_at.toString(), id: row.id }),
    (row) => viewOf(row, now),
  )
}

async function listed(db: Db, where: ReturnType<typeof sql>, limit: number): Promise<ListedToken[]> {
  const { rows } = await sql<ListedToken>`
    select t.*, s.code as site, o.code as org_unit from enrolment_token t
    left join site s on s.id = t.site_id left join org_unit o on o.id = t.org_unit_id
    where ${where} order by t.created_at desc, t.id desc limit ${limit}`.execute(db)
  return rows
}

export async function revokeEnrolmentToken(call: Call, id: EnrolmentTokenId): Promise<Answer<EnrolmentTokenView>> {
  return await call.db.transaction().execute(async (tx) => {
    const [row] = await listed(tx, sql`t.id = ${id}::uuid`, 1)
    if (row === undefined) return notFound('enrolment token')
    const paths = await tx.selectFrom('org_unit').select('path').where('id', '=', row.org_unit_id).executeTakeFirst()
    const allowed = allow(call.actor, 'device.enrol', { site: row.site_id ?? undefined, orgUnitPath: paths?.path })
    if (!allowed.ok) return allowed
    const revoked = { ...row, revoked_at: row.revoked_at ?? call.now }
    await tx.updateTable('enrolment_token').set({ revoked_at: revoked.revoked_at }).where('id', '=', id).execute()
    await record(tx, {
      actor: call.actor,
      at: call.now,
      did: 'enrolment-token.revoked',
      subject: { kind: 'enrolment-token', id },
      after: viewOf(revoked, call.now),
    })
    return ok(viewOf(revoked, call.now))
  })
}

function viewOf(row: ListedToken, now: Temporal.Instant): EnrolmentTokenView {
  return {
    id: row.id,
    label: row.label,
    site: row.site,
    orgUnit: row.org_unit,
    roles: row.roles,
    autoApprove: row.auto_approve,
    usesMax: row.uses_max,
    uses: row.uses,
    fromNetwork: row.from_network,
    state: stateOf(row, now),
    madeBy: row.made_by,
    createdAt: row.created_at.toString(),
    expiresAt: row.expires_at.toString(),
  }
}

function stateOf(row: EnrolmentTokenRecord, now: Temporal.Instant): EnrolmentTokenView['state'] {
  if (row.revoked_at !== null) return 'revoked'
  if (row.uses >= row.uses_max) return 'used-up'
  return Temporal.Instant.compare(now, row.expires_at) >= 0 ? 'expired' : 'usable'
}
