import type { DraftView } from '@bascule/contract/decide/signing.ts'
import type { Refusal, Result } from '@bascule/domain/lib/result.ts'
import { signDocument } from '@bascule/trust/envelope.ts'
import type { KeyPair } from '@bascule/trust/keys.ts'
import type { RepositoryDraft } from '@bascule/trust/tuf/repository-state.ts'
import { agreed, type ConsentFlags } from './consent.ts'
import { type Change, documentsOf, type UnsignedDocument } from './governance.ts'
import { type KeyFlags, keysMeant, unlockKeys } from './key-choice.ts'
import { asView } from './publication.ts'
import { missingSigners, type ReviewedDocument, reviewDocuments } from './review-documents.ts'
import { progressWords, refusedBy, waitingFor } from './review-draft-of-server.ts'
import { type Member, Refused } from './with-member.ts'

export interface Proposal {
  readonly title: string
  readonly kind: 'governance' | 'ceremony'
  readonly repository: RepositoryDraft
  readonly changes: Result<readonly Change[], Refusal<string>>
  readonly nameOf: (keyId: string) => string
  /** Keys that sign beside those of this home: a paper key in the moment it is made. */
  readonly also?: readonly KeyPair[]
}

export interface Proposed {
  readonly draft: DraftView
  readonly documents: readonly ReviewedDocument[]
}

/**
 * One guided flow: makes the documents of a change, shows what they mean and who has to sign, asks, signs with the keys
 * of this home and uploads. What is shown is what the review of every other signer will show. Undefined when it was
 * not agreed to; then nothing has left this machine.
 */
export async function proposeChange(
  member: Member,
  flags: KeyFlags & ConsentFlags,
  proposal: Proposal,
): Promise<Proposed | undefined> {
  const { context, home } = member
  const documents = madeFrom(proposal)
  const reviewed = await reviewOwn(proposal, documents)
  context.process.stderr.write(`${sheetOf(proposal, reviewed).join('\n')}\n`)
  const keys = waitingFor(reviewed, keysMeant(home, flags))
  if (!(await agreed(context, flags, keys.length > 0 ? 'Propose and sign this?' : 'Propose this?'))) return undefined
  const pairs = keys.length === 0 ? [] : await unlockKeys(context, flags, keys)
  if (pairs === undefined) return undefined
  const signers = [...pairs, ...(proposal.also ?? [])]
  const signed = reviewed.map((document) => ({
    role: document.role,
    decision: document.decision.decision,
    ...signDocument(
      document.signed,
      signers.filter(({ keyId }) => missingSigners(document).includes(keyId)),
    ),
  }))
  const draft = await member.client.decide.draft.propose({
    title: proposal.title,
    kind: proposal.kind,
    documents: signed,
  })
  const byMe = reviewed.map((document) => ({
    ...document,
    signers: signers.map(({ keyId }) => keyId).filter((id) => missingSigners(document).includes(id)),
  }))
  return { draft: asView(draft), documents: byMe }
}

function madeFrom({ changes, repository }: Proposal): UnsignedDocument[] {
  if (!changes.ok) throw new Refused(changes.error.rule, `${changes.error.fact} ${changes.error.next}`)
  const made = documentsOf(repository, changes.value, Temporal.Now.instant())
  if (!made.ok) throw new Refused(made.error.rule, `${made.error.fact} ${made.error.next}`)
  return made.value
}

async function reviewOwn({ repository, nameOf }: Proposal, documents: readonly UnsignedDocument[]) {
  const isCeremony = repository.root === undefined
  const reviewed = await reviewDocuments({
    repository: isCeremony ? undefined : repository,
    documents: documents.map(({ role, decision, signed }) => ({ role, decision, signed, signatures: [] })),
    at: Temporal.Now.instant(),
    nameOf,
    fetchManifest: () => Promise.resolve(undefined),
  })
  if (!reviewed.ok) throw refusedBy(reviewed.error)
  return reviewed.value
}

function sheetOf({ title, nameOf }: Proposal, documents: readonly ReviewedDocument[]): string[] {
  return [
    title,
    ...documents.flatMap(({ words }) => words.map((line) => `  ${line}`)),
    'Signatures that this needs:',
    ...progressWords({ documents, nameOf }).map((line) => `  ${line}`),
  ]
}
