import type { FactView, LedgerFilter } from '@bascule/contract/platform/ledger.ts'
import type { Page } from '@bascule/contract/lib/paging.ts'
import { isAllowed } from '@bascule/domain/estate/role.ts'
import type { Call } from '#/platform/http/os.ts'
import { decodeCursor, pageFrom } from '#/platform/lib/keyset.ts'
import './ledger.tables.ts'

/**
 * Facts, the newest first. A fact lies nowhere, so who may read the ledger within limits reads what everybody may know:
 * what was done with a release, and not what became of people and single devices.
 */
export async function listFacts({ db, actor }: Call, filter: LedgerFilter): Promise<Page<FactView>> {
  const after = decodeCursor(filter.after)
  let query = db.selectFrom('ledger').selectAll()
  if (!isAllowed(actor.grants, 'ledger.read'))
    query = query.where('release_id', 'is not', null).where('subject_kind', '<>', 'job')
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
