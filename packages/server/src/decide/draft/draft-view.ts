import type { DraftDocument, DraftView } from '@bascule/contract/decide/signing.ts'
import { roleNameFrom } from '@bascule/trust/tuf/names.ts'
import { signersOf } from '@bascule/trust/tuf/attach-signature.ts'
import type { RepositoryDraft } from '@bascule/trust/tuf/repository-state.ts'
import type { Db } from '#/platform/db/database.ts'
import type { DraftRow, DraftSignature } from './draft.store.ts'
import { findSignatures } from './draft.store.ts'
import type { StoredDocument } from './draft.tables.ts'
import { envelopeOf, keysFor, repositoryWith } from './quorum.ts'
import { findKeyOwners, type KeyOwners, membersOf } from './role-names.ts'

/** Drafts with everything that a tool needs to review them, and everybody who has signed. */
export async function draftViews(db: Db, state: RepositoryDraft, rows: readonly DraftRow[]): Promise<DraftView[]> {
  const signatures = Map.groupBy(
    await findSignatures(
      db,
      rows.map(({ id }) => id),
    ),
    (one) => one.draft_id,
  )
  const owners = await findKeyOwners(db)
  return rows.map((row) => draftView(row, state, signatures.get(row.id) ?? [], owners))
}

function draftView(
  row: DraftRow,
  state: RepositoryDraft,
  signatures: readonly DraftSignature[],
  owners: KeyOwners,
): DraftView {
  return {
    id: row.id,
    title: row.title,
    kind: row.kind,
    state: row.state,
    caseId: row.case_id,
    proposedBy: row.proposed_by,
    proposedAt: row.proposed_at.toString(),
    publishedAt: row.published_at?.toString() ?? null,
    documents: row.documents.map((document) => documentView(document, row.documents, state, signatures, owners)),
    refusal: row.refusal,
  }
}

function documentView(
  document: StoredDocument,
  all: readonly StoredDocument[],
  state: RepositoryDraft,
  signatures: readonly DraftSignature[],
  owners: KeyOwners,
): DraftDocument {
  const { role, decision, signed } = document
  const own = signatures.filter((one) => one.role === role)
  const given = own.map((one) => ({ role, keyid: one.key_id, sig: one.sig }))
  const keys = keysFor(state, all, role)
  const signers = signersOf(envelopeOf(document, given), keys)
  return {
    role,
    kind: roleNameFrom(role)?.kind ?? 'line',
    decision,
    signed,
    signatures: own.map((one) => ({ keyid: one.key_id, sig: one.sig, name: one.by_name, at: one.at.toString() })),
    threshold: keys.threshold,
    members: membersOf(repositoryWith(state, all), role, keys, signers, owners),
  }
}
