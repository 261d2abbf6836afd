import type { CaseId, DraftId } from '@bascule/domain/lib/ids.ts'
import type { Refusal } from '@bascule/domain/lib/result.ts'
import type { Selectable } from 'kysely'
import type { Db } from '#/platform/db/database.ts'
import type { ActorName } from '#/platform/lib/actor.ts'
import { newId } from '#/platform/lib/id.ts'
import type { DraftKind, DraftSignatureTable, DraftState, DraftTable, StoredDocument } from './draft.tables.ts'

export type DraftRow = Selectable<DraftTable>
export type DraftSignature = Selectable<DraftSignatureTable>

export async function findDraft(db: Db, id: string): Promise<DraftRow | undefined> {
  return await db
    .selectFrom('draft')
    .selectAll()
    .where('id', '=', id as DraftId)
    .executeTakeFirst()
}

export async function lockDraft(tx: Db, id: string): Promise<DraftRow | undefined> {
  return await tx
    .selectFrom('draft')
    .selectAll()
    .where('id', '=', id as DraftId)
    .forUpdate()
    .executeTakeFirst()
}

const draftsShown = 100

export async function findDrafts(db: Db, state: DraftState | undefined): Promise<DraftRow[]> {
  let query = db.selectFrom('draft').selectAll().orderBy('proposed_at', 'desc').orderBy('id', 'desc').limit(draftsShown)
  if (state) query = query.where('state', '=', state)
  return await query.execute()
}

/** The newest draft of each case; one that was withdrawn stays as what was asked. */
export async function findDraftsOfCases(db: Db, caseIds: readonly CaseId[]): Promise<Map<CaseId, DraftRow>> {
  if (caseIds.length === 0) return new Map()
  const rows = await db
    .selectFrom('draft')
    .selectAll()
    .where('case_id', 'in', caseIds)
    .orderBy('proposed_at')
    .orderBy('id')
    .execute()
  return new Map(rows.flatMap((row) => (row.case_id === null ? [] : [[row.case_id, row] as const])))
}

/** Drafts that collect signatures or wait, the oldest first. Locked. */
export async function lockOpenDrafts(tx: Db): Promise<DraftRow[]> {
  return await tx
    .selectFrom('draft')
    .selectAll()
    .where('state', 'in', ['queued', 'signing'])
    .orderBy('proposed_at')
    .orderBy('id')
    .forUpdate()
    .execute()
}

export interface NewDraft {
  readonly kind: DraftKind
  readonly title: string
  readonly state: 'queued' | 'signing'
  readonly caseId: CaseId | null
  readonly roles: readonly string[]
  readonly documents: readonly StoredDocument[]
  readonly proposedBy: ActorName
}

export async function insertDraft(tx: Db, draft: NewDraft, now: Temporal.Instant): Promise<DraftRow> {
  return await tx
    .insertInto('draft')
    .values({
      id: newId<DraftId>(),
      kind: draft.kind,
      title: draft.title,
      state: draft.state,
      case_id: draft.caseId,
      roles: [...draft.roles],
      documents: JSON.stringify(draft.documents),
      refusal: null,
      proposed_by_id: draft.proposedBy.id,
      proposed_by: draft.proposedBy.name,
      proposed_at: now.toString(),
      published_at: null,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
}

export interface DraftChange {
  readonly state?: DraftState
  readonly documents?: readonly StoredDocument[]
  readonly refusal?: Refusal | null
  readonly publishedAt?: Temporal.Instant
}

export async function updateDraft(tx: Db, id: DraftId, change: DraftChange): Promise<void> {
  await tx
    .updateTable('draft')
    .set({
      ...(change.state ? { state: change.state } : {}),
      ...(change.documents ? { documents: JSON.stringify(change.documents) } : {}),
      ...(change.refusal === undefined
        ? {}
        : { refusal: change.refusal === null ? null : JSON.stringify(change.refusal) }),
      ...(change.publishedAt ? { published_at: change.publishedAt.toString() } : {}),
    })
    .where('id', '=', id)
    .execute()
}

export async function findSignatures(db: Db, draftIds: readonly DraftId[]): Promise<DraftSignature[]> {
  if (draftIds.length === 0) return []
  return await db
    .selectFrom('draft_signature')
    .selectAll()
    .where('draft_id', 'in', draftIds)
    .orderBy('at')
    .orderBy('key_id')
    .execute()
}

export async function insertSignatures(
  tx: Db,
  draftId: DraftId,
  signatures: readonly { readonly role: string; readonly keyid: string; readonly sig: string; readonly name: string }[],
  now: Temporal.Instant,
): Promise<void> {
  if (signatures.length === 0) return
  const rows = signatures.map(({ role, keyid, sig, name }) => ({
    draft_id: draftId,
    role,
    key_id: keyid,
    sig,
    by_name: name,
    at: now.toString(),
  }))
  await tx.insertInto('draft_signature').values(rows).execute()
}
