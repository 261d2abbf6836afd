import type { PersonChange, PersonFilter, PersonInput, PersonView } from '@bascule/contract/estate/person.ts'
import type { Page } from '@bascule/contract/lib/paging.ts'
import { coverageOf } from '@bascule/domain/estate/role.ts'
import type { PersonId } from '@bascule/domain/lib/ids.ts'
import { ok } from '@bascule/domain/lib/result.ts'
import type { Db } from '#/platform/db/database.ts'
import type { Call } from '#/platform/http/os.ts'
import { record } from '#/platform/ledger/record.ts'
import type { Fact } from '#/platform/ledger/record.ts'
import { allow } from '#/platform/lib/actor.ts'
import { badInput, notFound, refused } from '#/platform/lib/answer.ts'
import type { Answer } from '#/platform/lib/answer.ts'
import { newId } from '#/platform/lib/id.ts'
import { pageFrom } from '#/platform/lib/keyset.ts'
import { alreadyThere, changedMeanwhile, entityView, givenColumns } from '../lib/entity.ts'
import { unknownReferences } from '../lib/references.ts'
import { isLastAdministrator, lastAdministrator } from '../role/role.service.ts'
import {
  deleteAccount,
  findPeople,
  findPeopleByEmail,
  findPerson,
  insertPeople,
  lockPerson,
  placeOf,
  updatePerson,
} from './person.store.ts'
import type { PersonRow } from './person.store.ts'

/** The people whom the caller may see. */
export async function listPeople(call: Call, filter: PersonFilter): Promise<Page<PersonView>> {
  const rows = await findPeople(call.db, filter, coverageOf(call.actor.grants, 'person.read'))
  return pageFrom(rows, filter.limit, (row) => ({ key: row.name.toLowerCase(), id: row.id }), personView)
}

export async function getPerson(call: Call, id: PersonId): Promise<Answer<PersonView>> {
  const row = await findPerson(call.db, id)
  if (row === undefined) return notFound('person')
  const allowed = allow(call.actor, 'person.read', await placeOf(call.db, row.org_unit_id, row.site_id))
  return allowed.ok ? ok(personView(row)) : allowed
}

export async function createPerson(call: Call, input: PersonInput): Promise<Answer<PersonView>> {
  return await call.db.transaction().execute(async (tx) => {
    const row = newPerson(call, input)
    const checked = await checkPlace(tx, call, row)
    if (!checked.ok) return checked
    if ((await findPeopleByEmail(tx, [row.email])).size > 0) return refused(emailTaken(row.email))
    const [created] = await insertPeople(tx, [row])
    if (created === undefined) return notFound('person')
    await record(tx, personFact(call, 'person.created', undefined, created))
    return ok(personView(created))
  })
}

/** Changes a person. Moving somebody to another org unit or site needs the permission at both ends. */
export async function changePerson(call: Call, input: PersonChange): Promise<Answer<PersonView>> {
  return await changeLocked(call, input.personId, input.version, 'person.changed', async (tx, row) => {
    const change = columnsOf(input)
    const checked = await checkPlace(tx, call, { ...row, ...change })
    if (!checked.ok) return checked
    const taken = input.email === undefined ? undefined : (await findPeopleByEmail(tx, [input.email])).get(input.email)
    return taken === undefined || taken.id === row.id ? ok(change) : refused(emailTaken(taken.email))
  })
}

/** Ends somebody's time here: the roles stay on record, sign-in and every session end at once. */
export async function retirePerson(call: Call, personId: PersonId): Promise<Answer<PersonView>> {
  return await changeLocked(call, personId, undefined, 'person.retired', async (tx) => {
    if (await isLastAdministrator(tx, personId)) return refused(lastAdministrator)
    await deleteAccount(tx, personId)
    return ok({ retired_at: call.now })
  })
}

async function changeLocked(
  call: Call,
  personId: PersonId,
  version: number | undefined,
  did: string,
  decide: (tx: Db, row: PersonRow) => Promise<Answer<Partial<PersonRow>>>,
): Promise<Answer<PersonView>> {
  return await call.db.transaction().execute(async (tx) => {
    const before = await lockPerson(tx, personId)
    if (before === undefined) return notFound('person')
    const allowed = allow(call.actor, 'person.write', await placeOf(tx, before.org_unit_id, before.site_id))
    if (!allowed.ok) return allowed
    const refusal = changedMeanwhile(version, before)
    if (refusal) return refused(refusal)
    const change = await decide(tx, before)
    if (!change.ok) return change
    const after = await updatePerson(tx, personId, change.value)
    await record(tx, personFact(call, did, before, after))
    return ok(personView(after))
  })
}

async function checkPlace(tx: Db, call: Call, row: Pick<PersonRow, 'org_unit_id' | 'site_id'>): Promise<Answer<true>> {
  const unknown = await unknownReferences(tx, [
    { table: 'org_unit', field: 'orgUnitId', id: row.org_unit_id },
    { table: 'site', field: 'siteId', id: row.site_id },
  ])
  if (unknown.length > 0) return badInput(...unknown)
  return allow(call.actor, 'person.write', await placeOf(tx, row.org_unit_id, row.site_id))
}

export function newPerson(call: Call, input: PersonInput) {
  const { name, email, orgUnitId = null, siteId = null, jobRole = null, language, timeZone = null } = input
  const place = { org_unit_id: orgUnitId, site_id: siteId }
  return {
    id: newId<PersonId>(),
    name,
    email,
    ...place,
    job_role: jobRole,
    language,
    time_zone: timeZone,
    created_at: call.now,
  }
}

type PersonValues = Omit<PersonChange, 'personId' | 'version'>
type PersonColumns = Pick<
  PersonRow,
  'name' | 'email' | 'org_unit_id' | 'site_id' | 'job_role' | 'language' | 'time_zone'
>

export function columnsOf(input: PersonValues): Partial<PersonColumns> {
  return givenColumns<PersonValues, PersonColumns>(input, {
    name: 'name',
    email: 'email',
    org_unit_id: 'orgUnitId',
    site_id: 'siteId',
    job_role: 'jobRole',
    language: 'language',
    time_zone: 'timeZone',
  })
}

export function personFact(call: Call, did: string, before: PersonRow | undefined, after: PersonRow): Fact {
  const subject = { kind: 'person', id: after.id }
  return {
    actor: call.actor,
    at: call.now,
    did,
    subject,
    before: before && personView(before),
    after: personView(after),
  }
}

export function personView(row: PersonRow): PersonView {
  const { id, name, email, language } = row
  const place = { orgUnitId: row.org_unit_id, siteId: row.site_id }
  return { id, name, email, ...place, jobRole: row.job_role, language, timeZone: row.time_zone, ...entityView(row) }
}

function emailTaken(email: string) {
  return alreadyThere('a person', 'e-mail address', email)
}
