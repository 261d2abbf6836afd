import { RoleGrantRow as RoleGrantCsvRow } from '@bascule/contract/estate/role.ts'
import type { RoleGrantFilter, RoleGrantInput, RoleGrantView } from '@bascule/contract/estate/role.ts'
import type { ImportResult } from '@bascule/contract/lib/csv.ts'
import type { InputProblem } from '@bascule/contract/lib/errors.ts'
import type { Page } from '@bascule/contract/lib/paging.ts'
import { coverageOf, isAllowed } from '@bascule/domain/estate/role.ts'
import type { PersonId, RoleGrantId } from '@bascule/domain/lib/ids.ts'
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
import { inGroups, readCsv } from '../lib/csv.ts'
import type { CsvRow } from '../lib/csv.ts'
import { alreadyThere } from '../lib/entity.ts'
import { loadReferences, resolve, unknownReferences } from '../lib/references.ts'
import type { References } from '../lib/references.ts'
import { findPerson, placeOf } from '../person/person.store.ts'
import { findGrant, findGrants, findGrantsOf, insertGrant, lockRole, revokeGrant } from './role.store.ts'
import type { RoleGrantRow } from './role.store.ts'

export async function listGrants(call: Call, filter: RoleGrantFilter): Promise<Page<RoleGrantView>> {
  const rows = await findGrants(call.db, filter, coverageOf(call.actor.grants, 'role.read'))
  return pageFrom(rows, filter.limit, (row) => ({ key: row.granted_at.toString(), id: row.id }), viewOf)
}

/** Gives a role. Whoever hands out roles within limits can only hand out roles within the same limits. */
export async function grantRole(call: Call, input: RoleGrantInput): Promise<Answer<RoleGrantView>> {
  return await call.db.transaction().execute(async (tx) => {
    const unknown = await unknownReferences(tx, [
      { table: 'person', field: 'personId', id: input.personId },
      { table: 'org_unit', field: 'orgUnitId', id: input.orgUnitId },
      { table: 'site', field: 'siteId', id: input.siteId },
    ])
    if (unknown.length > 0) return badInput(...unknown)
    const allowed = allow(call.actor, 'role.grant', await placeOf(tx, input.orgUnitId ?? null, input.siteId ?? null))
    if (!allowed.ok) return allowed
    const row = rowFrom(call, input)
    if (!(await insertGrant(tx, row))) return refused(alreadyThere('such a grant', 'role', input.role))
    const granted = await findGrant(tx, row.id)
    if (granted === undefined) return notFound('role grant')
    await record(tx, factOf(call, 'role.granted', undefined, granted))
    return ok(viewOf(granted))
  })
}

/** Takes a role. The last administrator without limits cannot be taken: nobody could ever give a role again. */
export async function revokeRole(call: Call, id: RoleGrantId): Promise<Answer<RoleGrantView>> {
  return await call.db.transaction().execute(async (tx) => {
    const grant = await findGrant(tx, id)
    if (grant === undefined || grant.revoked_at !== null) return notFound('role grant')
    const allowed = allow(call.actor, 'role.grant', await placeOf(tx, grant.org_unit_id, grant.site_id))
    if (!allowed.ok) return allowed
    const others = (await lockRole(tx, grant.role)).filter((other) => other.id !== id && isUnlimited(other))
    if (grant.role === 'administrator' && isUnlimited(grant) && others.length === 0) return refused(lastAdministrator)
    await revokeGrant(tx, id, call.now)
    await record(tx, factOf(call, 'role.revoked', grant, undefined))
    return ok(viewOf(grant))
  })
}

/** Whether nobody could give roles any more without this person. */
export async function isLastAdministrator(tx: Db, personId: PersonId): Promise<boolean> {
  const unlimited = (await lockRole(tx, 'administrator')).filter(isUnlimited)
  return unlimited.length > 0 && unlimited.every((grant) => grant.person_id === personId)
}

/**
 * Whether the caller may hand out everything that this person has, and roles where this person belongs. Who could make
 * a way in for somebody with more rights would have those rights, now or when that somebody gets them.
 */
export async function mayActFor(call: Call, personId: PersonId): Promise<boolean> {
  const person = await findPerson(call.db, personId)
  const held = await findGrantsOf(call.db, personId)
  const places = await Promise.all(held.map((grant) => placeOf(call.db, grant.org_unit_id, grant.site_id)))
  places.push(await placeOf(call.db, person?.org_unit_id ?? null, person?.site_id ?? null))
  return places.every((place) => isAllowed(call.actor.grants, 'role.grant', place))
}

/** Gives the roles of a file: all rows or none. */
export async function importGrants(call: Call, csv: string): Promise<Answer<ImportResult>> {
  const read = readCsv(csv, RoleGrantCsvRow, Object.keys(RoleGrantCsvRow.shape))
  if (!read.ok) return read
  return await call.db.transaction().execute(async (tx) => {
    const references = await loadReferences(tx)
    const problems: InputProblem[] = []
    const inputs = read.value.flatMap((row) => grantFrom(call, row, references, problems))
    return problems.length > 0 ? badInput(...problems) : ok(await writeGrants(tx, call, inputs))
  })
}

function grantFrom(
  call: Call,
  { line, row }: CsvRow<RoleGrantCsvRow>,
  references: References,
  problems: InputProblem[],
): RoleGrantInput[] {
  const person = resolve(references.people, { line, field: 'email', value: row.email, what: 'person' }, problems)
  const unit = resolve(
    references.orgUnits,
    { line, field: 'org_unit', value: row.org_unit, what: 'org unit' },
    problems,
  )
  const site = resolve(references.sites, { line, field: 'site', value: row.site, what: 'site' }, problems)
  if (!isAllowed(call.actor.grants, 'role.grant', { orgUnitPath: unit?.path, site: site?.id })) {
    problems.push({ line, field: 'org_unit', problem: 'lies where you may not give roles' })
  }
  return person === undefined ? [] : [{ personId: person.id, role: row.role, orgUnitId: unit?.id, siteId: site?.id }]
}

async function writeGrants(tx: Db, call: Call, inputs: readonly RoleGrantInput[]): Promise<ImportResult> {
  const facts: Fact[] = []
  for (const input of inputs) {
    const row = rowFrom(call, input)
    if (!(await insertGrant(tx, row))) continue
    const subject = { kind: 'role-grant', id: row.id }
    facts.push({ actor: call.actor, at: call.now, did: 'role.granted', subject, after: input })
  }
  for (const group of inGroups(facts)) await record(tx, ...group)
  return { created: facts.length, updated: 0, unchanged: inputs.length - facts.length }
}

function isUnlimited(grant: RoleGrantRow): boolean {
  return grant.org_unit_id === null && grant.site_id === null
}

export const lastAdministrator = {
  rule: 'last-administrator',
  fact: 'This is the last administrator without limits.',
  lifter: 'an administrator',
  next: 'Give somebody else the role administrator first.',
}

function rowFrom(call: Call, { personId, role, orgUnitId = null, siteId = null }: RoleGrantInput) {
  const limits = { org_unit_id: orgUnitId, site_id: siteId }
  return {
    id: newId<RoleGrantId>(),
    person_id: personId,
    role,
    ...limits,
    granted_at: call.now,
    granted_by: call.actor.name,
  }
}

function factOf(call: Call, did: string, before: RoleGrantRow | undefined, after: RoleGrantRow | undefined): Fact {
  const subject = { kind: 'role-grant', id: (after ?? before)?.id ?? '' }
  return {
    actor: call.actor,
    at: call.now,
    did,
    subject,
    before: before && viewOf(before),
    after: after && viewOf(after),
  }
}

function viewOf(row: RoleGrantRow): RoleGrantView {
  const limits = { orgUnitId: row.org_unit_id, siteId: row.site_id }
  const given = { grantedAt: row.granted_at.toString(), grantedBy: row.granted_by }
  return { id: row.id, personId: row.person_id, personName: row.person_name, role: row.role, ...limits, ...given }
}
