import type { ClaimInput } from '@bascule/contract/platform/session.ts'
import type { PersonId, RoleGrantId } from '@bascule/domain/lib/ids.ts'
import { ok } from '@bascule/domain/lib/result.ts'
import type { Db } from '#/platform/db/database.ts'
import { record } from '#/platform/ledger/record.ts'
import type { ActorName } from '#/platform/lib/actor.ts'
import { notFound, refused } from '#/platform/lib/answer.ts'
import type { Answer } from '#/platform/lib/answer.ts'
import { newId } from '#/platform/lib/id.ts'
import { passwords } from './auth.ts'
import { hashOf, newSecret } from './secret.ts'
import '#/estate/person/person.tables.ts'
import '#/estate/role/role.tables.ts'
import './identity.tables.ts'

const codeHours = 24

/**
 * A code for the first administrator, or undefined when there is one. Each call makes the codes before it worthless, so
 * that only the last start's code works. Only its hash is kept.
 */
export async function ensureFirstAdministratorCode(db: Db, now: Temporal.Instant): Promise<string | undefined> {
  return await db.transaction().execute(async (tx) => {
    if (await hasAdministrator(tx)) return undefined
    await tx.deleteFrom('one_time_code').where('purpose', '=', 'first-administrator').execute()
    return await insertCode(tx, now, { purpose: 'first-administrator', person_id: null })
  })
}

/**
 * Makes the holder of the code the first administrator: a person, a password and the role, once, together with the roles
 * that this person takes on because nobody else is here yet.
 */
export async function claimFirstAdministrator(
  db: Db,
  now: Temporal.Instant,
  input: ClaimInput,
): Promise<Answer<{ personId: PersonId; email: string }>> {
  const password = await passwords.hash(input.password)
  return await db.transaction().execute(async (tx) => {
    const code = await takeCode(tx, now, 'first-administrator', input.code)
    if (code === undefined || (await hasAdministrator(tx))) return refused(spent)
    const personId = newId<PersonId>()
    const person = {
      id: personId,
      name: input.name,
      email: input.email,
      time_zone: input.timeZone ?? null,
      created_at: now,
    }
    const actor: ActorName = { kind: 'person', id: personId, name: input.name }
    await tx.insertInto('person').values(person).execute()
    await ensureAccount(tx, now, person, password)
    const grants = ['administrator' as const, ...new Set(input.roles)].map((role) => ({
      id: newId<RoleGrantId>(),
      person_id: personId,
      role,
      granted_at: now,
      granted_by: input.name,
    }))
    await tx.insertInto('role_grant').values(grants).execute()
    await record(
      tx,
      {
        actor,
        at: now,
        did: 'person.created',
        subject: { kind: 'person', id: personId },
        after: { name: input.name, email: input.email },
      },
      ...grants.map(({ id, role }) => ({
        actor,
        at: now,
        did: 'role.granted',
        subject: { kind: 'role-grant', id },
        after: { personId, role },
      })),
    )
    return ok({ personId, email: input.email })
  })
}

/** A code that signs this person in once within a day, for a link that an administrator hands over. */
export async function createSignInCode(
  db: Db,
  call: { actor: ActorName; now: Temporal.Instant },
  personId: PersonId,
): Promise<Answer<{ code: string; expiresAt: Temporal.Instant }>> {
  return await db.transaction().execute(async (tx) => {
    const person = await tx
      .selectFrom('person')
      .select(['id', 'name', 'email'])
      .where('id', '=', personId)
      .where('retired_at', 'is', null)
      .executeTakeFirst()
    if (person === undefined) return notFound('person')
    await ensureAccount(tx, call.now, person, null)
    const code = await insertCode(tx, call.now, { purpose: 'sign-in', person_id: personId })
    await record(tx, {
      actor: call.actor,
      at: call.now,
      did: 'person.link-made',
      subject: { kind: 'person', id: personId },
    })
    return ok({ code, expiresAt: call.now.add({ hours: codeHours }) })
  })
}

/** Where the code goes in. */
export function signInLink(publicUrl: string, code: string): string {
  return `${publicUrl}/api/auth/sign-in/link?code=${code}`
}

/** Where the first administrator begins. */
export function welcomeLink(publicUrl: string, code: string): string {
  return `${publicUrl}/welcome?code=${code}`
}

/**
 * Who may come in with this code; it is spent with the answer. A code opens no more than what the person could do when it
 * was made: whoever found an old link must not come in with a role that was given later.
 */
export async function redeemSignInCode(db: Db, now: Temporal.Instant, code: string): Promise<PersonId | undefined> {
  return await db.transaction().execute(async (tx) => {
    const taken = await takeCode(tx, now, 'sign-in', code)
    if (taken?.person_id == null) return undefined
    const person = await tx
      .selectFrom('person')
      .select(['id', 'name'])
      .where('id', '=', taken.person_id)
      .executeTakeFirst()
    if (person === undefined) return undefined
    const actor: ActorName = { kind: 'person', id: person.id, name: person.name }
    if (await hasGainedSince(tx, person.id, taken.created_at)) {
      await record(tx, { actor, at: now, did: 'person.link-refused', subject: { kind: 'person', id: person.id } })
      return undefined
    }
    await record(tx, { actor, at: now, did: 'person.link-used', subject: { kind: 'person', id: person.id } })
    return person.id
  })
}

async function hasAdministrator(tx: Db): Promise<boolean> {
  const grant = await tx
    .selectFrom('role_grant')
    .innerJoin('person', 'person.id', 'role_grant.person_id')
    .select('role_grant.id')
    .where('role_grant.role', '=', 'administrator')
    .where('role_grant.revoked_at', 'is', null)
    .where('person.retired_at', 'is', null)
    .limit(1)
    .executeTakeFirst()
  return grant !== undefined
}

async function hasGainedSince(tx: Db, personId: PersonId, since: Temporal.Instant): Promise<boolean> {
  const gained = await tx
    .selectFrom('role_grant')
    .select('id')
    .where('person_id', '=', personId)
    .where('granted_at', '>', since)
    .limit(1)
    .executeTakeFirst()
  return gained !== undefined
}

async function insertCode(
  tx: Db,
  now: Temporal.Instant,
  forWhom: { purpose: 'first-administrator' | 'sign-in'; person_id: PersonId | null },
): Promise<string> {
  const code = newSecret()
  const times = { created_at: now, expires_at: now.add({ hours: codeHours }) }
  await tx
    .insertInto('one_time_code')
    .values({ hash: hashOf(code), ...forWhom, ...times })
    .execute()
  return code
}

/** Marks the code as used in the same statement that finds it, so that two who come at once do not both get in. */
async function takeCode(tx: Db, now: Temporal.Instant, purpose: 'first-administrator' | 'sign-in', code: string) {
  return await tx
    .updateTable('one_time_code')
    .set({ used_at: now })
    .where('hash', '=', hashOf(code))
    .where('purpose', '=', purpose)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .returning(['hash', 'person_id', 'created_at'])
    .executeTakeFirst()
}

export async function ensureAccount(
  tx: Db,
  now: Temporal.Instant,
  person: { id: PersonId; name: string; email: string },
  password: string | null,
): Promise<void> {
  const { id, name, email } = person
  const times = { createdAt: now, updatedAt: now }
  await tx
    .insertInto('auth_user')
    .values({ id, name, email, emailVerified: true, ...times })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute()
  if (password === null) return
  await tx
    .insertInto('auth_account')
    .values({ accountId: id, providerId: 'credential', userId: id, password, ...times })
    .execute()
}

const spent = {
  rule: 'code-spent',
  fact: 'This code is unknown, used or older than a day, or there is an administrator already.',
  lifter: 'who runs the server',
  next: 'Start the server again: as long as there is no administrator, it prints a new link.',
}
