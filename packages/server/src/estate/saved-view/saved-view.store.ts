import type { PersonId, SavedViewId } from '@bascule/domain/lib/ids.ts'
import { sql } from 'kysely'
import type { Insertable, Updateable } from 'kysely'
import type { Database, Db } from '#/platform/db/database.ts'
import type { SavedViewRecord } from './saved-view.tables.ts'

export async function findViewsOf(db: Db, personId: PersonId): Promise<SavedViewRecord[]> {
  return await db
    .selectFrom('saved_view')
    .selectAll()
    .where('person_id', '=', personId)
    .orderBy('created_at')
    .orderBy('id')
    .execute()
}

/** One at a time saves and renames, so that neither the number of views nor their names can be outrun. */
export async function lockViewsOf(tx: Db, personId: PersonId): Promise<SavedViewRecord[]> {
  await tx.selectFrom('person').select('id').where('id', '=', personId).forUpdate().execute()
  return await findViewsOf(tx, personId)
}

export async function insertView(tx: Db, view: Insertable<Database['saved_view']>): Promise<SavedViewRecord> {
  return await tx.insertInto('saved_view').values(view).returningAll().executeTakeFirstOrThrow()
}

export async function updateView(
  tx: Db,
  id: SavedViewId,
  change: Updateable<Database['saved_view']>,
): Promise<SavedViewRecord> {
  return await tx
    .updateTable('saved_view')
    .set({ ...change, version: sql`version + 1` })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

export async function deleteView(tx: Db, id: SavedViewId): Promise<void> {
  await tx.deleteFrom('saved_view').where('id', '=', id).execute()
}
