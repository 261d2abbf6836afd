import type { DraftView } from '@bascule/contract/decide/signing.ts'
import { devicePaths } from '@bascule/contract/device/protocol.ts'
import type { Refusal } from '@bascule/domain/lib/result.ts'
import type { KeyPair } from '@bascule/trust/keys.ts'
import { targetPathFrom } from '@bascule/trust/tuf/names.ts'
import { signDocument } from '@bascule/trust/envelope.ts'
import { keyIdOfLocked, type LockedKey } from './locked-key.ts'
import { bytesUpTo, type OwnView, refreshOwnView } from './own-view.ts'
import { countOf, missingSigners, type ReviewedDocument, reviewDocuments } from './review-documents.ts'
import { type Member, Refused } from './with-member.ts'

/** A draft that this machine has reviewed against its own memory, and what it means. */
export interface ReviewedDraft {
  readonly draft: DraftView
  readonly view: OwnView | undefined
  readonly documents: readonly ReviewedDocument[]
  readonly nameOf: (keyId: string) => string
}

/** Refreshes the member's own memory. A refusal ends the command; nothing was sent. */
export async function ownViewOf(member: Member, rootSha256: string | undefined): Promise<OwnView | undefined> {
  const at = Temporal.Now.instant()
  const { server, memory } = member
  const view = await refreshOwnView({ server, memory, at, ...(rootSha256 === undefined ? {} : { rootSha256 }) })
  if (!view.ok) throw refusedBy(view.error)
  return view.value
}

/** Reviews a draft of the server. Throws `Refused` with the rule when anybody's signature under it would be wrong. */
export async function reviewDraftOfServer(
  member: Member,
  draft: DraftView,
  view: OwnView | undefined,
): Promise<ReviewedDraft> {
  if (draft.state !== 'signing') {
    const why = draft.state === 'queued' ? 'It waits until the draft before it is done.' : `It is ${draft.state}.`
    throw new Refused('draft-is-to-be-signed', `There is nothing to sign in this draft. ${why}`)
  }
  if (view === undefined && draft.kind !== 'ceremony') {
    throw new Refused('root-is-the-anchor', 'This server has no root, so nothing can be verified. Do not sign.')
  }
  const nameOf = namesIn(draft)
  const reviewed = await reviewDocuments({
    repository: view?.repository,
    documents: draft.documents,
    at: Temporal.Now.instant(),
    nameOf,
    fetchManifest: async (sha256, maxBytes) => await fetchManifest(member.server, sha256, maxBytes),
  })
  if (!reviewed.ok) throw refusedBy(reviewed.error)
  return { draft, view, documents: reviewed.value, nameOf }
}

/** A case is about one release; a draft about another one is not its draft, whatever the server says. */
export function refuseForeignDraft(documents: readonly ReviewedDocument[], releaseId: string): void {
  for (const { decision } of documents) {
    const { decision: decided } = decision
    const path = 'path' in decided ? decided.path : 'emergencyPath' in decided ? decided.emergencyPath : undefined
    const release = path === undefined ? undefined : targetPathFrom(path)?.release
    if (decision.document === 'releases' && documents.length === 1 && release === releaseId) continue
    const fact = `The case is about ${releaseId}, and its draft about ${release ?? 'something else'}. Do not sign.`
    throw new Refused('draft-is-of-the-case', fact)
  }
}

/** What has expired may be an old state that somebody shows; it may be signed to live on and for nothing else. */
export function refuseAllButRenewals(decisions: readonly { readonly kind: string }[]): void {
  if (decisions.every(({ kind }) => kind === 'renew')) return
  const fact = 'The signed files of this server have expired. Do not sign. Renew them first: bascule trust renew.'
  throw new Refused('files-are-fresh', fact)
}

/** Which documents wait for which of these keys. */
export function waitingFor(documents: readonly ReviewedDocument[], keys: readonly LockedKey[]): readonly LockedKey[] {
  return keys.filter((key) => documents.some((document) => missingSigners(document).includes(keyIdOfLocked(key))))
}

/** Signs everything that waits for these keys and attaches it. Nothing but signatures leaves this machine. */
export async function signAndAttach(
  { client }: Member,
  { draft, documents }: Pick<ReviewedDraft, 'draft' | 'documents'>,
  pairs: readonly KeyPair[],
): Promise<DraftView> {
  const signatures = documents.flatMap((document) => {
    const missing = missingSigners(document)
    const mine = pairs.filter(({ keyId }) => missing.includes(keyId))
    return signDocument(document.signed, mine).signatures.map((signature) => ({ ...signature, role: document.role }))
  })
  return await client.decide.draft.sign({ draftId: draft.id, signatures })
}

/** One line per document: how many signatures are there, and who is missing while they are too few. */
export function progressWords({ documents, nameOf }: Pick<ReviewedDraft, 'documents' | 'nameOf'>): string[] {
  return documents.map((document) => {
    const { have, need } = countOf(document)
    const open = have < need ? ` Missing: ${missingSigners(document).map(nameOf).join(', ')}.` : ' That is enough.'
    return `${document.role}: ${have} of ${need} signatures.${open}`
  })
}

/** Signatures that were just attached, counted without believing anybody's count. */
export function afterSigning(
  documents: readonly ReviewedDocument[],
  pairs: readonly KeyPair[],
): readonly ReviewedDocument[] {
  return documents.map((document) => {
    const mine = pairs.map(({ keyId }) => keyId).filter((id) => missingSigners(document).includes(id))
    return { ...document, signers: [...document.signers, ...mine] }
  })
}

export function refusedBy({ rule, fact, next }: Refusal<string>): Refused {
  return new Refused(rule, `${fact} ${next.startsWith('Do not sign') ? next : `Do not sign. ${next}`}`)
}

/** Names are the server's; the beginning of the key id stands beside each, because only that is verified. */
function namesIn({ documents }: DraftView): (keyId: string) => string {
  const names = new Map(documents.flatMap(({ members }) => members.map(({ keyId, name }) => [keyId, name] as const)))
  return (keyId) => {
    const name = names.get(keyId)
    return name === undefined ? `key ${keyId.slice(0, 12)}` : `${name} (key ${keyId.slice(0, 12)})`
  }
}

async function fetchManifest(server: string, sha256: string, maxBytes: number): Promise<Uint8Array | undefined> {
  const response = await fetch(`${server}${devicePaths.blob(sha256)}`)
  if (response.status === 404) return undefined
  if (!response.ok)
    throw new Error(`Fetching the manifest ${sha256.slice(0, 12)}: the server answered ${response.status}`)
  return await bytesUpTo(response, maxBytes)
}
