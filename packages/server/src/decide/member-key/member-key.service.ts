import type { MemberKeyView, memberKey } from '@bascule/contract/decide/member-key.ts'
import type { PersonId } from '@bascule/domain/lib/ids.ts'
import { ok } from '@bascule/domain/lib/result.ts'
import { keyIdOf, verifyHex } from '@bascule/trust/keys.ts'
import { type RepositoryDraft, delegatedRoles, trustedKeysOf } from '@bascule/trust/tuf/repository-state.ts'
import type { Selectable } from 'kysely'
import type { InferContractRouterInputs } from '@orpc/contract'
import type { Db } from '#/platform/db/database.ts'
import type { Call } from '#/platform/http/os.ts'
import { record } from '#/platform/ledger/record.ts'
import { type Actor, allow } from '#/platform/lib/actor.ts'
import { type Answer, badInput, notFound, refused } from '#/platform/lib/answer.ts'
import type { MemberKeyTable } from './member-key.tables.ts'
import '#/estate/person/person.tables.ts'

type RegisterInput = InferContractRouterInputs<typeof memberKey>['register']
type MemberKeyRow = Selectable<MemberKeyTable> & { readonly person_name: string | null }

export async function listMemberKeys({ db, actor }: Call, state: RepositoryDraft): Promise<MemberKeyView[]> {
  return (await findMemberKeys(db)).map((row) => viewOf(row, state, actor))
}

/**
 * Makes a public key known. It proves nothing about what the key may do: a board still has to take it. Whoever
 * registers proves to hold the key, so that nobody gives another person a key of his own unseen.
 */
export async function registerMemberKey(
  call: Call,
  state: RepositoryDraft,
  input: RegisterInput,
): Promise<Answer<MemberKeyView>> {
  const { db, actor, now } = call
  const allowed = allow(actor, 'board.vote', {})
  if (!allowed.ok) return allowed
  const personId = (input.personId ?? (actor.kind === 'person' ? actor.id : null)) as PersonId | null
  if (personId === null) return badInput({ field: 'personId', problem: 'says whose key it is; a machine has none' })
  const isOwn = personId === actor.id
  const mayForOthers = isOwn ? ok(true) : allow(actor, 'board.write', {})
  if (!mayForOthers.ok) return mayForOthers
  const { publicKey, level, label, proof, wrapped } = input
  if (!verifyHex(publicKey, new TextEncoder().encode(proofText(input)), proof)) {
    return badInput({ field: 'proof', problem: 'is not a signature of this key over the agreed text' })
  }
  return await db.transaction().execute(async (tx) => {
    const keyId = keyIdOf(publicKey)
    const person = await tx.selectFrom('person').select('id').where('id', '=', personId).executeTakeFirst()
    if (!person) return badInput({ field: 'personId', problem: 'is nobody here' })
    const known = await findMemberKey(tx, keyId)
    if (known) return known.person_id === personId ? ok(viewOf(known, state, actor)) : refused(taken(keyId))
    await tx
      .insertInto('member_key')
      .values({
        key_id: keyId,
        public_key: publicKey,
        level,
        label,
        person_id: personId,
        wrapped: wrapped ? JSON.stringify(wrapped) : null,
        created_at: now.toString(),
      })
      .execute()
    const subject = { kind: 'member-key', id: keyId }
    await record(tx, { actor, at: now, did: 'member-key.registered', subject, after: { level, label, personId } })
    return await viewById(tx, keyId, state, actor)
  })
}

/** Says that a key is no longer used. Boards that list it must still be changed; until then it counts. */
export async function retireMemberKey(
  { db, actor, now }: Call,
  state: RepositoryDraft,
  keyId: string,
  reason: string,
): Promise<Answer<MemberKeyView>> {
  return await db.transaction().execute(async (tx) => {
    const row = await findMemberKey(tx, keyId)
    if (!row) return notFound('key')
    const allowed = row.person_id === actor.id ? allow(actor, 'board.vote', {}) : allow(actor, 'board.write', {})
    if (!allowed.ok) return allowed
    await tx
      .updateTable('member_key')
      .set({ retired_at: now.toString(), retired_reason: reason })
      .where('key_id', '=', keyId)
      .where('retired_at', 'is', null)
      .execute()
    const subject = { kind: 'member-key', id: keyId }
    await record(tx, { actor, at: now, did: 'member-key.retired', subject, after: { reason } })
    return await viewById(tx, keyId, state, actor)
  })
}

function proofText({ publicKey, level, label }: RegisterInput): string {
  return `bascule-member-key-v1\n${publicKey}\n${level}\n${label}`
}

async function findMemberKeys(db: Db): Promise<MemberKeyRow[]> {
  return await selectKeys(db).orderBy('member_key.created_at', 'desc').limit(1000).execute()
}

async function findMemberKey(db: Db, keyId: string): Promise<MemberKeyRow | undefined> {
  return await selectKeys(db).where('key_id', '=', keyId).executeTakeFirst()
}

function selectKeys(db: Db) {
  return db
    .selectFrom('member_key')
    .leftJoin('person', 'person.id', 'member_key.person_id')
    .selectAll('member_key')
    .select('person.name as person_name')
}

async function viewById(db: Db, keyId: string, state: RepositoryDraft, actor: Actor): Promise<Answer<MemberKeyView>> {
  const row = await findMemberKey(db, keyId)
  return row ? ok(viewOf(row, state, actor)) : notFound('key')
}

function viewOf(row: MemberKeyRow, state: RepositoryDraft, actor: Actor): MemberKeyView {
  return {
    keyId: row.key_id,
    publicKey: row.public_key,
    level: row.level,
    label: row.label,
    personId: row.person_id,
    personName: row.person_name,
    roles: rolesOf(state, row.key_id),
    createdAt: row.created_at.toString(),
    retiredAt: row.retired_at?.toString() ?? null,
    // Worth nothing without the passkey, and still nobody else's business.
    wrapped: row.person_id === actor.id ? row.wrapped : null,
  }
}

function rolesOf(state: RepositoryDraft, keyId: string): string[] {
  if (!state.root) return []
  return ['root', ...delegatedRoles(state)].filter((role) => {
    const trusted = trustedKeysOf(state, role)
    return trusted !== undefined && Object.hasOwn(trusted.keys, keyId)
  })
}

function taken(keyId: string) {
  return {
    rule: 'key-has-one-owner',
    fact: `The key ${keyId.slice(0, 12)} is registered for somebody else.`,
    lifter: 'Whoever composes boards',
    next: 'Make a key of your own.',
  }
}
