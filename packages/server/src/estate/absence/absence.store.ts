import type { AbsenceFilter } from '@bascule/contract/estate/absence.ts'
import type { Coverage } from '@bascule/domain/estate/role.ts'
import type { AbsenceId, OrgUnitId, PersonId, SiteId } from '@bascule/domain/lib/ids.ts'
import { sql } from 'kysely'
import type { Generated, Insertable, Updateable } from 'kysely'
import type { Db } from '#/platform/db/database.ts'
import { decodeCursor } from '#/platform/lib/keyset.ts'
import { isBelow, isCovered } from '../lib/coverage.ts'
import '../person/person.tables.ts'

export interface AbsenceTable {
  id: AbsenceId
  person_id: PersonId
  from_on: Temporal.PlainDate
  until_on: Temporal.PlainDate
  deputy_id: PersonId | null
  note: string | null
  version: Generated<number>
  created_at: Temporal.Instant
  retired_at: Temporal.Instant | null
}

declare module '#/platform/db/database.ts' {
  interface Database {
    absence: AbsenceTable
  }
}

/** An absence with the names of its people and where the absent one belongs. */
export interface AbsenceRow {
  id: AbsenceId
  person_id: PersonId
  from_on: Temporal.PlainDate
  until_on: Temporal.PlainDate
  deputy_id: PersonId | null
  note: string | null
  version: number
  created_at: Temporal.Instant
  retired_at: Temporal.Instant | null
  person_name: string
  deputy_name: string | null
  org_unit_id: OrgUnitId | null
  site_id: SiteId | null
}

function absences(db: Db) {
  return db
    .selectFrom('absence')
    .innerJoin('person', 'person.id', 'absence.person_id')
    .leftJoin('person as deputy', 'deputy.id', 'absence.deputy_id')
    .selectAll('absence')
    .select(['person.name as person_name', 'deputy.name as deputy_name', 'person.org_unit_id', 'person.site_id'])
}

export async function findAbsences(db: Db, filter: AbsenceFilter, coverage: Coverage): Promise<AbsenceRow[]> {
  const after = decodeCursor(filter.after)
  let query = absences(db)
    .where('absence.retired_at', 'is', null)
    .where(isCovered(coverage, { orgUnit: 'person.org_unit_id', site: 'person.site_id' }))
  if (filter.personId) query = query.where('absence.person_id', '=', filter.personId)
  if (filter.orgUnitId) query = query.where(isBelow('person.org_unit_id', filter.orgUnitId))
  if (filter.from) query = query.where('absence.until_on', '>=', Temporal.PlainDate.from(filter.from))
  if (filter.until) query = query.where('absence.from_on', '<=', Temporal.PlainDate.from(filter.until))
  if (after) query = query.where(sql<boolean>`(absence.from_on, absence.id) > (${after.key}::date, ${after.id}::uuid)`)
  return await query
    .orderBy('absence.from_on')
    .orderBy('absence.id')
    .limit(filter.limit + 1)
    .execute()
}

export async function findAbsence(db: Db, id: AbsenceId): Promise<AbsenceRow | undefined> {
  return await absences(db).where('absence.id', '=', id).executeTakeFirst()
}

export async function lockAbsence(tx: Db, id: AbsenceId): Promise<AbsenceRow | undefined> {
  await tx.selectFrom('absence').select('id').where('id', '=', id).forUpdate().execute()
  return await findAbsence(tx, id)
}

export async function insertAbsences(tx: Db, rows: readonly Insertable<AbsenceTable>[]): Promise<void> {
  await tx.insertInto('absence').values(rows).execute()
}

export async function updateAbsence(tx: Db, id: AbsenceId, change: Updateable<AbsenceTable>): Promise<void> {
  await tx
    .updateTable('absence')
    .set({ ...change, version: sql`version + 1` })
    .where('id', '=', id)
    .execute()
}

/** The same person, the same days: what a file that is imported twice must not double. */
export async function findSameAbsence(
  db: Db,
  row: { person_id: PersonId; from_on: Temporal.PlainDate; until_on: Temporal.PlainDate },
) {
  return await db
    .selectFrom('absence')
    .select(['id', 'deputy_id', 'note'])
    .where('person_id', '=', row.person_id)
    .where('from_on', '=', row.from_on)
    .where('until_on', '=', row.until_on)
    .where('retired_at', 'is', null)
    .executeTakeFirst()
}
