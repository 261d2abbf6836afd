import { PersonRow as PersonCsvRow } from '@bascule/contract/estate/person.ts'
import type { PersonInput } from '@bascule/contract/estate/person.ts'
import type { ImportResult } from '@bascule/contract/lib/csv.ts'
import type { InputProblem } from '@bascule/contract/lib/errors.ts'
import { isAllowed } from '@bascule/domain/estate/role.ts'
import { ok } from '@bascule/domain/lib/result.ts'
import type { Db } from '#/platform/db/database.ts'
import type { Call } from '#/platform/http/os.ts'
import { record } from '#/platform/ledger/record.ts'
import type { Fact } from '#/platform/ledger/record.ts'
import { badInput } from '#/platform/lib/answer.ts'
import type { Answer } from '#/platform/lib/answer.ts'
import { inGroups, readCsv, repeatedKeys } from '../lib/csv.ts'
import type { CsvRow } from '../lib/csv.ts'
import { loadReferences, resolve } from '../lib/references.ts'
import type { References } from '../lib/references.ts'
import { columnsOf, newPerson, personFact } from './person.service.ts'
import { findPeopleByEmail, insertPeople, placeOf, updatePerson } from './person.store.ts'
import type { PersonRow } from './person.store.ts'

/** Adds or changes the people of a file by their e-mail addresses: all rows or none. Nobody is retired by being absent. */
export async function importPeople(call: Call, csv: string): Promise<Answer<ImportResult>> {
  const read = readCsv(csv, PersonCsvRow, Object.keys(PersonCsvRow.shape))
  if (!read.ok) return read
  const repeated = repeatedKeys(read.value, 'email')
  if (repeated.length > 0) return badInput(...repeated)
  return await call.db.transaction().execute(async (tx) => {
    const references = await loadReferences(tx)
    const known = await findPeopleByEmail(
      tx,
      read.value.map(({ row }) => row.email),
    )
    const problems: InputProblem[] = []
    const people = read.value.map((row) => personFrom(call, row, references, problems))
    problems.push(...(await problemsAtOldPlaces(tx, call, read.value, known)))
    if (problems.length > 0) return badInput(...problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0)))
    return ok(await writePeople(tx, call, people, known))
  })
}

/** The person of a row; whatever is wrong with the row goes into `problems`. */
function personFrom(
  call: Call,
  { line, row }: CsvRow<PersonCsvRow>,
  references: References,
  problems: InputProblem[],
): PersonInput {
  const unit = resolve(
    references.orgUnits,
    { line, field: 'org_unit', value: row.org_unit, what: 'org unit' },
    problems,
  )
  const site = resolve(references.sites, { line, field: 'site', value: row.site, what: 'site' }, problems)
  if (!isAllowed(call.actor.grants, 'person.write', { orgUnitPath: unit?.path, site: site?.id })) {
    problems.push({ line, field: 'org_unit', problem: 'lies where you may not change people' })
  }
  return {
    name: row.name,
    email: row.email,
    orgUnitId: unit?.id ?? null,
    siteId: site?.id ?? null,
    jobRole: row.job_role ?? null,
    language: row.language ?? 'en',
    timeZone: row.time_zone ?? null,
  }
}

/** A file cannot take people away from where the caller may not change them. */
async function problemsAtOldPlaces(
  tx: Db,
  call: Call,
  rows: readonly CsvRow<PersonCsvRow>[],
  known: ReadonlyMap<string, PersonRow>,
): Promise<InputProblem[]> {
  if (isAllowed(call.actor.grants, 'person.write')) return []
  const problems: InputProblem[] = []
  for (const { line, row } of rows) {
    const before = known.get(row.email)
    if (before === undefined) continue
    const place = await placeOf(tx, before.org_unit_id, before.site_id)
    if (!isAllowed(call.actor.grants, 'person.write', place)) {
      problems.push({ line, field: 'email', problem: 'belongs to somebody whom you may not change' })
    }
  }
  return problems
}

async function writePeople(
  tx: Db,
  call: Call,
  people: readonly PersonInput[],
  known: ReadonlyMap<string, PersonRow>,
): Promise<ImportResult> {
  const facts: Fact[] = []
  let unchanged = 0
  for (const person of people) {
    const before = known.get(person.email)
    if (before === undefined) continue
    if (isSame(before, person)) unchanged += 1
    else facts.push(personFact(call, 'person.changed', before, await updatePerson(tx, before.id, columnsOf(person))))
  }
  const updated = facts.length
  const fresh = people.filter((person) => !known.has(person.email)).map((person) => newPerson(call, person))
  for (const group of inGroups(fresh)) {
    const created = await insertPeople(tx, group)
    facts.push(...created.map((row) => personFact(call, 'person.created', undefined, row)))
  }
  for (const group of inGroups(facts)) await record(tx, ...group)
  return { created: fresh.length, updated, unchanged }
}

function isSame(row: PersonRow, person: PersonInput): boolean {
  return Object.entries(columnsOf(person)).every(([column, value]) => row[column as keyof PersonRow] === value)
}
