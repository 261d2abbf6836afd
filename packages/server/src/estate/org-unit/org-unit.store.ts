import type { OrgUnitFilter } from '@bascule/contract/estate/org-unit.ts'
import type { OrgUnitId } from '@bascule/domain/lib/ids.ts'
import { sql } from 'kysely'
import type { Generated, Insertable, Selectable, Updateable } from 'kysely'
import type { Db } from '#/platform/db/database.ts'
import { decodeCursor } from '#/platform/lib/keyset.ts'

export interface OrgUnitTable {
  id: OrgUnitId
  code: string
  name: string
  parent_id: OrgUnitId | null
  path: OrgUnitId[]
  version: Generated<number>
  created_at: Temporal.Instant
  retired_at: Temporal.Instant | null
}

declare module '#/platform/db/database.ts' {
  interface Database {
    org_unit: OrgUnitTable
  }
}

export type OrgUnitRow = Selectable<OrgUnitTable>

export async function findOrgUnits(db: Db, filter: OrgUnitFilter): Promise<OrgUnitRow[]> {
  const after = decodeCursor(filter.after)
  let query = db
    .selectFrom('org_unit')
    .selectAll()
    .where('retired_at', filter.state === 'active' ? 'is' : 'is not', null)
  if (filter.below) query = query.where(sql<boolean>`path @> array[${filter.below}]::uuid[]`)
  if (filter.search) query = query.where(sql<boolean>`strpos(lower(name || ' ' || code), lower(${filter.search})) > 0`)
  if (after) query = query.where(sql<boolean>`(lower(name), id) > (${after.key}, ${after.id}::uuid)`)
  return await query
    .orderBy(sql`lower(name)`)
    .orderBy('id')
    .limit(filter.limit + 1)
    .execute()
}

export async function findOrgUnit(db: Db, id: OrgUnitId): Promise<OrgUnitRow | undefined> {
  return await db.selectFrom('org_unit').selectAll().where('id', '=', id).executeTakeFirst()
}

/** The tree changes as a whole: two moves at once could otherwise make a circle. The number only names the lock. */
export async function lockTree(tx: Db): Promise<void> {
  await sql`select pg_advisory_xact_lock(7204502)`.execute(tx)
}

export async function findOrgUnitsByCode(db: Db, codes: readonly string[]): Promise<Map<string, OrgUnitRow>> {
  const rows = await db
    .selectFrom('org_unit')
    .selectAll()
    .where(sql<boolean>`code = any(${codes}::text[])`)
    .where('retired_at', 'is', null)
    .execute()
  return new Map(rows.map((row) => [row.code, row]))
}

export async function insertOrgUnit(tx: Db, unit: Insertable<OrgUnitTable>): Promise<OrgUnitRow> {
  return await tx.insertInto('org_unit').values(unit).returningAll().executeTakeFirstOrThrow()
}

export async function updateOrgUnit(tx: Db, id: OrgUnitId, change: Updateable<OrgUnitTable>): Promise<OrgUnitRow> {
  return await tx
    .updateTable('org_unit')
    .set({ ...change, version: sql`version + 1` })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** Puts a unit with everything below it under another path, in one statement. */
export async function moveBelow(tx: Db, unit: OrgUnitRow, parentPath: readonly OrgUnitId[]): Promise<void> {
  const depth = unit.path.length
  await sql`update org_unit set path = ${parentPath}::uuid[] || path[${depth}::int:]
    where path @> array[${unit.id}]::uuid[]`.execute(tx)
}

/** What still hangs on a unit: units below it and people in it. */
export async function countContents(tx: Db, id: OrgUnitId): Promise<{ units: number; people: number }> {
  const counted = await sql<{ units: number; people: number }>`select
    (select count(*) from org_unit where parent_id = ${id} and retired_at is null) as units,
    (select count(*) from person where org_unit_id = ${id} and retired_at is null) as people`.execute(tx)
  return counted.rows[0] ?? { units: 0, people: 0 }
}
