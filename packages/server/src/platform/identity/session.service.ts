import type { SessionView } from '@bascule/contract/platform/session.ts'
import { permissionsOf } from '@bascule/domain/estate/role.ts'
import type { OrgUnitId, PersonId, SiteId } from '@bascule/domain/lib/ids.ts'
import { ok } from '@bascule/domain/lib/result.ts'
import type { Db } from '#/platform/db/database.ts'
import type { Call } from '#/platform/http/os.ts'
import { record } from '#/platform/ledger/record.ts'
import { badInput, refused } from '#/platform/lib/answer.ts'
import type { Answer } from '#/platform/lib/answer.ts'
import { passwords } from './auth.ts'
import { ensureAccount } from './one-time-code.service.ts'
import '#/estate/person/person.tables.ts'
import '#/estate/site/site.store.ts'
import './identity.tables.ts'

/** Who the caller is and may do, and which server this is. */
export async function describeSession({ db, actor, now }: Call, environment: string): Promise<SessionView> {
  const meta = await db.selectFrom('server_meta').select('epoch').executeTakeFirstOrThrow()
  return {
    actor: { kind: actor.kind === 'machine' ? 'machine' : 'person', id: actor.id, name: actor.name },
    person: actor.kind === 'person' ? await describePerson(db, actor.id as PersonId) : null,
    grants: actor.grants.map(({ role, orgUnit, site }) => ({
      role,
      orgUnitId: (orgUnit ?? null) as OrgUnitId | null,
      siteId: (site ?? null) as SiteId | null,
    })),
    permissions: permissionsOf(actor.grants),
    server: { epoch: meta.epoch, environment, now: now.toString() },
  }
}

async function describePerson(db: Db, id: PersonId): Promise<SessionView['person']> {
  const person = await db
    .selectFrom('person')
    .leftJoin('site', 'site.id', 'person.site_id')
    .select([
      'person.id',
      'person.name',
      'person.email',
      'person.language',
      'person.time_zone',
      'site.time_zone as site_zone',
    ])
    .where('person.id', '=', id)
    .executeTakeFirst()
  if (person === undefined) return null
  const { name, email, language } = person
  return { id, name, email, language, timeZone: person.time_zone ?? person.site_zone ?? 'UTC' }
}

/**
 * Sets the caller's own password. Who has one already must know it; who came by a link has none yet. Every other way in
 * that is open ends with it, because a password is changed when somebody else may have found one.
 */
export async function setPassword(
  call: Call,
  input: { current?: string | undefined; password: string },
): Promise<Answer<{ changed: true }>> {
  if (call.actor.kind !== 'person') return refused(onlyPeople)
  const personId = call.actor.id as PersonId
  const password = await passwords.hash(input.password)
  return await call.db.transaction().execute(async (tx) => {
    const account = await tx
      .selectFrom('auth_account')
      .select('password')
      .where('userId', '=', personId)
      .where('providerId', '=', 'credential')
      .forUpdate()
      .executeTakeFirst()
    const known = account?.password ?? undefined
    const isRight = known === undefined || (await passwords.verify({ hash: known, password: input.current ?? '' }))
    if (!isRight) return badInput({ field: 'current', problem: 'is not your password' })
    await tx.deleteFrom('auth_account').where('userId', '=', personId).where('providerId', '=', 'credential').execute()
    const person = await tx
      .selectFrom('person')
      .select(['id', 'name', 'email'])
      .where('id', '=', personId)
      .executeTakeFirstOrThrow()
    await ensureAccount(tx, call.now, person, password)
    await endOtherWaysIn(tx, personId, call.actor.sessionId)
    await record(tx, {
      actor: call.actor,
      at: call.now,
      did: 'person.password-set',
      subject: { kind: 'person', id: personId },
    })
    return ok({ changed: true as const })
  })
}

/** Every session but this one, and every link that nobody has used yet. */
async function endOtherWaysIn(tx: Db, personId: PersonId, sessionId: string | undefined): Promise<void> {
  let sessions = tx.deleteFrom('auth_session').where('userId', '=', personId)
  if (sessionId !== undefined) sessions = sessions.where('id', '<>', sessionId)
  await sessions.execute()
  await tx.deleteFrom('one_time_code').where('person_id', '=', personId).where('used_at', 'is', null).execute()
}

const onlyPeople = {
  rule: 'only-people-have-passwords',
  fact: 'A machine signs in with its API key.',
  lifter: 'nobody',
  next: 'Make a new API key instead.',
}
