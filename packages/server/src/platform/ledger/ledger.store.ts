import type { FactView, LedgerFilter } from '@bascule/contract/platform/ledger.ts'
import type { Page } from '@bascule/contract/lib/paging.ts'
import type { Db } from '#/platform/db/database.ts'
import { decodeCursor, pageFrom } from '#/platform/lib/keyset.ts'
import './ledger.tables.ts'

/** Facts, the newest first. */
export async function listFacts(db: Db, filter: LedgerFilter): Promise<Page<FactView>> {
  const after = decodeCursor(filter.after)
  let query = db.selectFrom('ledger').selectAll()
  if (filter.subjectKind) query = query.where('subject_kind', '=', filter.subjectKind)
  if (filter.subjectId) query = query.where('subject_id', '=', filter.subjectId)
  if (filter.releaseId) query = query.where('release_id', '=', filter.releaseId)
  if (filter.actorId) query = query.where('actor_id', '=', filter.actorId)
  if (after) query = query.where('id', '<', Number(after.id))
  const rows = await query
    .orderBy('id', 'desc')
    .limit(filter.limit + 1)
    .execute()
  return pageFrom(
    rows,
    filter.limit,
    ({ id }) => ({ key: '', id: String(id) }),
    (row) => ({
      id: row.id,
      at: row.at.toString(),
      actor: { kind: row.actor_kind, id: row.actor_id, name: row.actor_name },
      did: row.did,
      subject: { kind: row.subject_kind, id: row.subject_id },
      releaseId: row.release_id,
      before: row.before,
      after: row.after,
    }),
  )
}
