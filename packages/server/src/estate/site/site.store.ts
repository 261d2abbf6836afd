import type { SiteFilter } from '@bascule/contract/estate/site.ts'
import type { SiteId } from '@bascule/domain/lib/ids.ts'
import { sql } from 'kysely'
import type { Generated, Insertable, Selectable, Updateable } from 'kysely'
import type { Db } from '#/platform/db/database.ts'
import { decodeCursor } from '#/platform/lib/keyset.ts'

export interface SiteTable {
  id: SiteId
  code: string
  name: string
  time_zone: string
  country: string | null
  region: string | null
  version: Generated<number>
  created_at: Temporal.Instant
  retired_at: Temporal.Instant | null
}

declare module '#/platform/db/database.ts' {
  interface Database {
    site: SiteTable
  }
}

export type SiteRow = Selectable<SiteTable>

export async function findSites(db: Db, filter: SiteFilter): Promise<SiteRow[]> {
  const after = decodeCursor(filter.after)
  let query = db
    .selectFrom('site')
    .selectAll()
    .where('retired_at', filter.state === 'active' ? 'is' : 'is not', null)
  if (filter.search) query = query.where(sql<boolean>`strpos(lower(name || ' ' || code), lower(${filter.search})) > 0`)
  if (after) query = query.where(sql<boolean>`(lower(name), id) > (${after.key}, ${after.id}::uuid)`)
  return await query
    .orderBy(sql`lower(name)`)
    .orderBy('id')
    .limit(filter.limit + 1)
    .execute()
}

export async function findSite(db: Db, id: SiteId): Promise<SiteRow | undefined> {
  return await db.selectFrom('site').selectAll().where('id', '=', id).executeTakeFirst()
}

export async function lockSite(tx: Db, id: SiteId): Promise<SiteRow | undefined> {
  return await tx.selectFrom('site').selectAll().where('id', '=', id).forUpdate().executeTakeFirst()
}

/** The sites in force by their codes. */
export async function findSitesByCode(db: Db, codes: readonly string[]): Promise<Map<string, SiteRow>> {
  const rows = await db
    .selectFrom('site')
    .selectAll()
    .where(sql<boolean>`code = any(${codes}::text[])`)
    .where('retired_at', 'is', null)
    .execute()
  return new Map(rows.map((row) => [row.code, row]))
}

export async function insertSites(tx: Db, sites: readonly Insertable<SiteTable>[]): Promise<SiteRow[]> {
  return await tx.insertInto('site').values(sites).returningAll().execute()
}

export async function updateSite(tx: Db, id: SiteId, change: Updateable<SiteTable>): Promise<SiteRow> {
  return await tx
    .updateTable('site')
    .set({ ...change, version: sql`version + 1` })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

export async function countPeopleAt(tx: Db, id: SiteId): Promise<number> {
  const { people } = await tx
    .selectFrom('person')
    .select((eb) => eb.fn.countAll<number>().as('people'))
    .where('site_id', '=', id)
    .where('retired_at', 'is', null)
    .executeTakeFirstOrThrow()
  return people
}
