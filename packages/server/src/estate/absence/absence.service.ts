import { AbsenceRow as AbsenceCsvRow } from '@bascule/contract/estate/absence.ts'
import type { AbsenceChange, AbsenceFilter, AbsenceInput, AbsenceView } from '@bascule/contract/estate/absence.ts'
import type { ImportResult } from '@bascule/contract/lib/csv.ts'
import type { InputProblem } from '@bascule/contract/lib/errors.ts'
import type { Page } from '@bascule/contract/lib/paging.ts'
import { coverageOf, isAllowed } from '@bascule/domain/estate/role.ts'
import type { AbsenceId } from '@bascule/domain/lib/ids.ts'
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
import { changedMeanwhile, entityView } from '../lib/entity.ts'
import { loadReferences, resolve, unknownReferences } from '../lib/references.ts'
import type { References } from '../lib/references.ts'
import { findPerson, placeOf } from '../person/person.store.ts'
import {
  findAbsence,
  findAbsences,
  findSameAbsence,
  insertAbsences,
  lockAbsence,
  updateAbsence,
} from './absence.store.ts'
import type { AbsenceRow } from './absence.store.ts'

export async function listAbsences(call: Call, filter: AbsenceFilter): Promise<Page<AbsenceView>> {
  const rows = await findAbsences(call.db, filter, coverageOf(call.actor.grants, 'absence.read'))
  return pageFrom(rows, filter.limit, (row) => ({ key: row.from_on.toString(), id: row.id }), viewOf)
}

export async function getAbsence(call: Call, id: AbsenceId): Promise<Answer<AbsenceView>> {
  const row = await findAbsence(call.db, id)
  if (row === undefined) return notFound('absence')
  const allowed = allow(call.actor, 'absence.read', await placeOf(call.db, row.org_unit_id, row.site_id))
  return allowed.ok ? ok(viewOf(row)) : allowed
}

export async function createAbsence(call: Call, input: AbsenceInput): Promise<Answer<AbsenceView>> {
  return await call.db.transaction().execute(async (tx) => {
    const unknown = await unknownReferences(tx, [
      { table: 'person', field: 'personId', id: input.personId },
      { table: 'person', field: 'deputyId', id: input.deputyId },
    ])
    if (unknown.length > 0) return badInput(...unknown)
    if (input.deputyId === input.personId) return badInput(ownDeputy)
    const person = await findPerson(tx, input.personId)
    const place = await placeOf(tx, person?.org_unit_id ?? null, person?.site_id ?? null)
    const allowed = allow(call.actor, 'absence.write', place)
    if (!allowed.ok) return allowed
    const id = newId<AbsenceId>()
    await insertAbsences(tx, [rowFrom(call, id, input)])
    return await written(tx, call, 'absence.created', id, undefined)
  })
}

export async function changeAbsence(call: Call, input: AbsenceChange): Promise<Answer<AbsenceView>> {
  return await changeLocked(call, input.absenceId, input.version, 'absence.changed', async (tx, row) => {
    const fromOn = input.fromOn === undefined ? row.from_on : Temporal.PlainDate.from(input.fromOn)
    const untilOn = input.untilOn === undefined ? row.until_on : Temporal.PlainDate.from(input.untilOn)
    if (Temporal.PlainDate.compare(fromOn, untilOn) > 0)
      return badInput({ field: 'untilOn', problem: 'is before the first day' })
    const deputyId = input.deputyId === undefined ? row.deputy_id : input.deputyId
    if (deputyId === row.person_id) return badInput(ownDeputy)
    const unknown = await unknownReferences(tx, [{ table: 'person', field: 'deputyId', id: input.deputyId }])
    if (unknown.length > 0) return badInput(...unknown)
    const note = input.note === undefined ? row.note : input.note
    return ok({ from_on: fromOn, until_on: untilOn, deputy_id: deputyId, note })
  })
}

export async function retireAbsence(call: Call, id: AbsenceId): Promise<Answer<AbsenceView>> {
  return await changeLocked(call, id, undefined, 'absence.retired', () => Promise.resolve(ok({ retired_at: call.now })))
}

async function changeLocked(
  call: Call,
  id: AbsenceId,
  version: number | undefined,
  did: string,
  decide: (tx: Db, row: AbsenceRow) => Promise<Answer<Parameters<typeof updateAbsence>[2]>>,
): Promise<Answer<AbsenceView>> {
  return await call.db.transaction().execute(async (tx) => {
    const before = await lockAbsence(tx, id)
    if (before === undefined) return notFound('absence')
    const allowed = allow(call.actor, 'absence.write', await placeOf(tx, before.org_unit_id, before.site_id))
    if (!allowed.ok) return allowed
    const refusal = changedMeanwhile(version, before)
    if (refusal) return refused(refusal)
    const change = await decide(tx, before)
    if (!change.ok) return change
    await updateAbsence(tx, id, change.value)
    return await written(tx, call, did, id, before)
  })
}

/** Records the absences of a file: all rows or none. The same days of the same person twice are one absence. */
export async function importAbsences(call: Call, csv: string): Promise<Answer<ImportResult>> {
  const read = readCsv(csv, AbsenceCsvRow, ['email', 'from', 'until', 'deputy', 'note'])
  if (!read.ok) return read
  return await call.db.transaction().execute(async (tx) => {
    const references = await loadReferences(tx)
    const problems: InputProblem[] = []
    const inputs = read.value.flatMap((row) => absenceFrom(call, row, references, problems))
    return problems.length > 0 ? badInput(...problems) : ok(await writeAbsences(tx, call, inputs))
  })
}

function absenceFrom(
  call: Call,
  { line, row }: CsvRow<AbsenceCsvRow>,
  { people, orgUnits }: References,
  problems: InputProblem[],
): AbsenceInput[] {
  const person = resolve(people, { line, field: 'email', value: row.email, what: 'person' }, problems)
  const deputy = resolve(people, { line, field: 'deputy', value: row.deputy, what: 'person' }, problems)
  if (person === undefined) return []
  if (deputy?.id === person.id) problems.push({ line, ...ownDeputy, field: 'deputy' })
  const orgUnitPath = [...orgUnits.values()].find((unit) => unit.id === person.orgUnitId)?.path
  if (!isAllowed(call.actor.grants, 'absence.write', { orgUnitPath, site: person.siteId ?? undefined })) {
    problems.push({ line, field: 'email', problem: 'belongs to somebody whose absences you may not record' })
  }
  return [{ personId: person.id, fromOn: row.from, untilOn: row.until, deputyId: deputy?.id, note: row.note }]
}

async function writeAbsences(tx: Db, call: Call, inputs: readonly AbsenceInput[]): Promise<ImportResult> {
  const facts: Fact[] = []
  const result = { created: 0, updated: 0, unchanged: 0 }
  for (const input of inputs) {
    const row = rowFrom(call, newId<AbsenceId>(), input)
    const same = await findSameAbsence(tx, row)
    const isUnchanged = same?.deputy_id === row.deputy_id && same.note === row.note
    if (same === undefined) await insertAbsences(tx, [row])
    else if (!isUnchanged) await updateAbsence(tx, same.id, { deputy_id: row.deputy_id, note: row.note })
    result[same === undefined ? 'created' : isUnchanged ? 'unchanged' : 'updated'] += 1
    if (isUnchanged) continue
    const subject = { kind: 'absence', id: same?.id ?? row.id }
    facts.push({
      actor: call.actor,
      at: call.now,
      did: same ? 'absence.changed' : 'absence.created',
      subject,
      after: input,
    })
  }
  for (const group of inGroups(facts)) await record(tx, ...group)
  return result
}

async function written(
  tx: Db,
  call: Call,
  did: string,
  id: AbsenceId,
  before: AbsenceRow | undefined,
): Promise<Answer<AbsenceView>> {
  const row = await findAbsence(tx, id)
  if (row === undefined) return notFound('absence')
  const subject = { kind: 'absence', id }
  await record(tx, {
    actor: call.actor,
    at: call.now,
    did,
    subject,
    before: before && viewOf(before),
    after: viewOf(row),
  })
  return ok(viewOf(row))
}

const ownDeputy = { field: 'deputyId', problem: 'is the absent person' }

function rowFrom(call: Call, id: AbsenceId, input: AbsenceInput) {
  const days = { from_on: Temporal.PlainDate.from(input.fromOn), until_on: Temporal.PlainDate.from(input.untilOn) }
  const { personId, deputyId = null, note = null } = input
  return { id, person_id: personId, ...days, deputy_id: deputyId, note, created_at: call.now }
}

function viewOf(row: AbsenceRow): AbsenceView {
  const people = {
    personId: row.person_id,
    personName: row.person_name,
    deputyId: row.deputy_id,
    deputyName: row.deputy_name,
  }
  const days = { fromOn: row.from_on.toString(), untilOn: row.until_on.toString() }
  return { id: row.id, ...people, ...days, note: row.note, ...entityView(row) }
}
