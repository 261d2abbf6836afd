import { type Vote } from '@bascule/domain/decide/case.ts'
import type { CaseId } from '@bascule/domain/lib/ids.ts'
import { signersOf } from '@bascule/trust/tuf/attach-signature.ts'
import { type RepositoryDraft, trustedKeysOf } from '@bascule/trust/tuf/repository-state.ts'
import type { TrustedKeys } from '@bascule/trust/envelope.ts'
import type { StatementSigned } from '@bascule/trust/statement.ts'
import type { Db } from '#/platform/db/database.ts'
import { type DraftRow, type DraftSignature, findDraftsOfCases, findSignatures } from '../draft/draft.store.ts'
import { envelopeOf } from '../draft/quorum.ts'
import { type CaseRecord, findStatements, type StatementRecord } from './case.store.ts'

/** What a member has said last, as evidence that was verified when it came. */
export interface SaidVote extends Vote {
  readonly reason: string | null
  readonly untilOn: string | null
  readonly at: Temporal.Instant
}

/** A case with everything that people have signed about it. */
export interface CaseSeen {
  readonly asked: CaseRecord
  readonly draft: DraftRow | undefined
  readonly quorum: TrustedKeys
  readonly votes: ReadonlyMap<string, SaidVote>
}

const nobody: TrustedKeys = { keys: {}, threshold: 1 }

/** Looks at cases together: three questions to the database, however many there are. */
export async function seeCases(db: Db, state: RepositoryDraft, cases: readonly CaseRecord[]): Promise<CaseSeen[]> {
  const ids = cases.map(({ id }) => id)
  const drafts = await findDraftsOfCases(db, ids)
  const draftIds = [...drafts.values()].map(({ id }) => id)
  const signatures = Map.groupBy(await findSignatures(db, draftIds), (one) => one.draft_id)
  const statements = Map.groupBy(await findStatements(db, ids), (one) => one.case_id)
  return cases.map((asked) => {
    const draft = drafts.get(asked.id)
    const quorum = trustedKeysOf(state, asked.role) ?? nobody
    const signed = draft ? (signatures.get(draft.id) ?? []) : []
    return { asked, draft, quorum, votes: votesOf(asked, draft, signed, statements.get(asked.id) ?? [], quorum) }
  })
}

export async function seeCase(db: Db, state: RepositoryDraft, asked: CaseRecord): Promise<CaseSeen> {
  const [seen] = await seeCases(db, state, [asked])
  if (!seen) throw new Error(`The case ${asked.id} was looked at and not seen`)
  return seen
}

/** The members who count now and have said Go. */
export function goCount({ quorum, votes }: Pick<CaseSeen, 'quorum' | 'votes'>): number {
  return Object.keys(quorum.keys).filter((keyId) => votes.get(keyId)?.said === 'go').length
}

/** Statements about other bytes of the release, from before it was frozen anew, are history and no votes. */
function votesOf(
  asked: CaseRecord,
  draft: DraftRow | undefined,
  signed: readonly DraftSignature[],
  statements: readonly StatementRecord[],
  quorum: TrustedKeys,
): Map<string, SaidVote> {
  const votes = new Map<string, SaidVote>()
  for (const { key_id: keyId, kind, document, at } of statements) {
    const said = (document as { signed: StatementSigned }).signed
    if (said.manifestSha256 !== asked.asked_for.manifestSha256) continue
    votes.set(keyId, {
      keyId,
      said: kind,
      reason: said.reason,
      untilOn: 'untilOn' in said ? said.untilOn : null,
      at,
    })
  }
  const document = draft?.documents.find(({ role }) => role === asked.role)
  if (!document) return votes
  const given = signed.map((one) => ({ role: one.role, keyid: one.key_id, sig: one.sig }))
  for (const keyId of signersOf(envelopeOf(document, given), quorum)) {
    const at = signed.find((one) => one.key_id === keyId)?.at ?? asked.asked_at
    votes.set(keyId, { keyId, said: 'go', reason: null, untilOn: null, at })
  }
  return votes
}

/** Everybody's signature under the draft of a case, for who wants to say something after it. */
export async function hasSignedDraft(db: Db, caseId: CaseId, keyId: string): Promise<boolean> {
  const row = await db
    .selectFrom('draft_signature')
    .innerJoin('draft', 'draft.id', 'draft_signature.draft_id')
    .select('draft.id')
    .where('draft.case_id', '=', caseId)
    .where('draft.state', 'in', ['signing', 'published'])
    .where('draft_signature.key_id', '=', keyId)
    .executeTakeFirst()
  return row !== undefined
}
