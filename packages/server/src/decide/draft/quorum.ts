import type { Signature } from '@bascule/contract/device/protocol.ts'
import { type Refusal, type Result, ok, refuse } from '@bascule/domain/lib/result.ts'
import type { Envelope, TrustedKeys } from '@bascule/trust/envelope.ts'
import { attachSignature, signersOf } from '@bascule/trust/tuf/attach-signature.ts'
import type { RoleSigned, RootSigned } from '@bascule/trust/tuf/documents.ts'
import { type RepositoryDraft, rootKeysOf, trustedKeysOf } from '@bascule/trust/tuf/repository-state.ts'
import type { StoredDocument } from './draft.tables.ts'

/** The repository as it would be with these documents: whose signatures count follows from them, too. */
export function repositoryWith(state: RepositoryDraft, documents: readonly StoredDocument[]): RepositoryDraft {
  const signed = new Map(documents.map(({ role, signed: document }) => [role, { signed: document, signatures: [] }]))
  const { root, ...roles } = Object.fromEntries(signed) as Record<string, Envelope<RoleSigned>> & {
    root?: Envelope<RootSigned>
  }
  return { ...state, ...(root ? { root } : {}), roles: { ...state.roles, ...roles } }
}

/**
 * Whose signatures a document needs: the quorum of the role as it will be, and for a new root also the quorum of the
 * root that it takes the place of.
 */
export function quorumsFor(
  state: RepositoryDraft,
  documents: readonly StoredDocument[],
  role: string,
): readonly TrustedKeys[] {
  const next = trustedKeysOf(repositoryWith(state, documents), role)
  const before = role === 'root' && state.root ? rootKeysOf(state.root.signed, 'root') : undefined
  return [next, before].filter((keys) => keys !== undefined)
}

/** All keys that may sign a document, with the threshold of the role as it will be. */
export function keysFor(state: RepositoryDraft, documents: readonly StoredDocument[], role: string): TrustedKeys {
  const quorums = quorumsFor(state, documents, role)
  const keys = Object.assign({}, ...quorums.map((one) => one.keys)) as TrustedKeys['keys']
  return { keys, threshold: quorums[0]?.threshold ?? 1 }
}

type Signed = readonly { readonly role: string; readonly keyid: string; readonly sig: string }[]

/** A document with the signatures that it has so far. */
export function envelopeOf({ role, signed }: StoredDocument, signatures: Signed): Envelope<RootSigned | RoleSigned> {
  const own = signatures.filter((one) => one.role === role)
  return { signed, signatures: own.map(({ keyid, sig }) => ({ keyid, sig })) }
}

/** Whether every document of a draft has every quorum that it needs. */
export function isComplete(state: RepositoryDraft, documents: readonly StoredDocument[], signatures: Signed): boolean {
  if (documents.length === 0) return false
  return documents.every((document) => {
    const quorums = quorumsFor(state, documents, document.role)
    const envelope = envelopeOf(document, signatures)
    return quorums.length > 0 && quorums.every((keys) => signersOf(envelope, keys).length >= keys.threshold)
  })
}

/** Whether these signatures fit, each in its turn; the first that does not refuses all of them. */
export function checkSignatures(
  state: RepositoryDraft,
  documents: readonly StoredDocument[],
  before: Signed,
  added: Signed,
): Result<true, Refusal> {
  const envelopes = new Map(documents.map((document) => [document.role, envelopeOf(document, before)]))
  for (const { role, keyid, sig } of added) {
    const envelope = envelopes.get(role)
    if (!envelope) return refuse(noSuchDocument(role))
    const signature: Signature = { keyid, sig }
    const attached = attachSignature(envelope, signature, keysFor(state, documents, role))
    if (!attached.ok) return attached
    envelopes.set(role, attached.value)
  }
  return ok(true)
}

function noSuchDocument(role: string): Refusal {
  return {
    rule: 'draft-has-the-document',
    fact: `This draft has no document of ${role}.`,
    lifter: 'Nobody',
    next: 'Fetch the draft again and sign what it holds.',
  }
}
