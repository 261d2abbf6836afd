import type { PersonFilter } from '@bascule/contract/estate/person.ts'
import type { Coverage, Place } from '@bascule/domain/estate/role.ts'
import type { OrgUnitId, PersonId, SiteId } from '@bascule/domain/lib/ids.ts'
import { sql } from 'kysely'
import type { Insertable, Selectable, Updateable } from 'kysely'
import type { Database, Db } from '#/platform/db/database.ts'
import { decodeCursor } from '#/platform/lib/keyset.ts'
import { isBelow, isCovered } from '../lib/coverage.ts'
import './person.tables.ts'
import '#/platform/identity/identity.tables.ts'

export type PersonTable = Database['person']
export type PersonRow = Selectable<PersonTable>

const where = { orgUnit: 'person.org_unit_id', site: 'person.site_id' }

export async function findPeople(db: Db, filter: PersonFilter, coverage: Coverage): Promise<PersonRow[]> {
  const after = decodeCursor(filter.after)
  let query = db
    .selectFrom('person')
    .selectAll()
    .where('retired_at', filter.state === 'active' ? 'is' : 'is not', null)
    .where(isCovered(coverage, where))
  if (filter.orgUnitId) query = query.where(isBelow('person.org_unit_id', filter.orgUnitId))
  if (filter.siteId) query = query.where('site_id', '=', filter.siteId)
  if (filter.search) query = query.where(sql<boolean>`strpos(lower(name || ' ' || email), lower(${filter.search})) > 0`)
  if (after) query = query.where(sql<boolean>`(lower(name), id) > (${after.key}, ${after.id}::uuid)`)
  return await query
    .orderBy(sql`lower(name)`)
    .orderBy('id')
    .limit(filter.limit + 1)
    .execute()
}

export async function findPerson(db: Db, id: PersonId): Promise<PersonRow | undefined> {
  return await db.selectFrom('person').selectAll().where('id', '=', id).executeTakeFirst()
}

export async function lockPerson(tx: Db, id: PersonId): Promise<PersonRow | undefined> {
  return await tx.selectFrom('person').selectAll().where('id', '=', id).forUpdate().executeTakeFirst()
}

/** The people in force by their e-mail addresses. */
export async function findPeopleByEmail(db: Db, emails: readonly string[]): Promise<Map<string, PersonRow>> {
  const rows = await db
    .selectFrom('person')
    .selectAll()
    .where(sql<boolean>`email = any(${emails}::text[])`)
    .where('retired_at', 'is', null)
    .execute()
  return new Map(rows.map((row) => [row.email, row]))
}

export async function insertPeople(tx: Db, people: readonly Insertable<PersonTable>[]): Promise<PersonRow[]> {
  return await tx.insertInto('person').values(people).returningAll().execute()
}

export async function updatePerson(tx: Db, id: PersonId, change: Updateable<PersonTable>): Promise<PersonRow> {
  const row = await tx
    .updateTable('person')
    .set({ ...change, version: sql`version + 1` })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
  await tx.updateTable('auth_user').set({ name: row.name, email: row.email }).where('id', '=', id).execute()
  return row
}

/** Takes the way in: the account with its password and all sessions. */
export async function deleteAccount(tx: Db, id: PersonId): Promise<void> {
  await tx.deleteFrom('auth_user').where('id', '=', id).execute()
}

/** Where an org unit and a site are, for the question whether somebody may act there. */
export async function placeOf(db: Db, orgUnitId: OrgUnitId | null, siteId: SiteId | null): Promise<Place> {
  const site = siteId ?? undefined
  if (orgUnitId === null) return { site }
  const unit = await db.selectFrom('org_unit').select('path').where('id', '=', orgUnitId).executeTakeFirst()
  return { orgUnitPath: unit?.path, site }
}
