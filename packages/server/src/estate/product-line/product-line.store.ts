import type { ProductLineFilter } from '@bascule/contract/estate/product-line.ts'
import type { ProductLineId } from '@bascule/domain/lib/ids.ts'
import { sql } from 'kysely'
import type { Generated, Insertable, Selectable, Updateable } from 'kysely'
import type { Db } from '#/platform/db/database.ts'
import { decodeCursor } from '#/platform/lib/keyset.ts'

export interface ProductLineTable {
  id: ProductLineId
  code: string
  name: string
  board_name: string | null
  counter: Generated<number>
  version: Generated<number>
  created_at: Temporal.Instant
  retired_at: Temporal.Instant | null
}

declare module '#/platform/db/database.ts' {
  interface Database {
    product_line: ProductLineTable
  }
}

export type ProductLineRow = Selectable<ProductLineTable>

export async function findProductLines(db: Db, filter: ProductLineFilter): Promise<ProductLineRow[]> {
  const after = decodeCursor(filter.after)
  let query = db
    .selectFrom('product_line')
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

export async function findProductLineById(db: Db, id: ProductLineId): Promise<ProductLineRow | undefined> {
  return await db.selectFrom('product_line').selectAll().where('id', '=', id).executeTakeFirst()
}

/** By its code, whether it is retired or not. */
export async function findProductLineByCode(db: Db, code: string): Promise<ProductLineRow | undefined> {
  return await db.selectFrom('product_line').selectAll().where('code', '=', code).executeTakeFirst()
}

export async function lockProductLine(tx: Db, id: ProductLineId): Promise<ProductLineRow | undefined> {
  return await tx.selectFrom('product_line').selectAll().where('id', '=', id).forUpdate().executeTakeFirst()
}

export async function insertProductLine(tx: Db, row: Insertable<ProductLineTable>): Promise<ProductLineRow> {
  return await tx.insertInto('product_line').values(row).returningAll().executeTakeFirstOrThrow()
}

export async function updateProductLine(
  tx: Db,
  id: ProductLineId,
  change: Updateable<ProductLineTable>,
): Promise<ProductLineRow> {
  return await tx
    .updateTable('product_line')
    .set({ ...change, version: sql`version + 1` })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** Undefined when there is no line with this code. */
export async function incrementCounter(tx: Db, code: string): Promise<number | undefined> {
  const row = await tx
    .updateTable('product_line')
    .set({ counter: sql`counter + 1` })
    .where('code', '=', code)
    .returning('counter')
    .executeTakeFirst()
  return row?.counter
}
