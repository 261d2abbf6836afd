import type { PersonId } from '@bascule/domain/lib/ids.ts'
import type { Db } from '#/platform/db/database.ts'
import './pinned-release.tables.ts'

/** In the order of pinning. */
export async function findPinned(db: Db, personId: PersonId): Promise<string[]> {
  const rows = await db
    .selectFrom('pinned_release')
    .select('release_id')
    .where('person_id', '=', personId)
    .orderBy('pinned_at')
    .orderBy('release_id')
    .execute()
  return rows.map((row) => row.release_id)
}

/** One at a time pins, so that the number of pins cannot be outrun. */
export async function lockPinned(tx: Db, personId: PersonId): Promise<string[]> {
  await tx.selectFrom('person').select('id').where('id', '=', personId).forUpdate().execute()
  return await findPinned(tx, personId)
}

export async function insertPin(tx: Db, personId: PersonId, releaseId: string, now: Temporal.Instant): Promise<void> {
  await tx.insertInto('pinned_release').values({ person_id: personId, release_id: releaseId, pinned_at: now }).execute()
}

export async function deletePin(tx: Db, personId: PersonId, releaseId: string): Promise<void> {
  await tx.deleteFrom('pinned_release').where('person_id', '=', personId).where('release_id', '=', releaseId).execute()
}
