import type { Signature } from '@bascule/contract/device/protocol.ts'
import { type Refusal, type Result, ok, refuse } from '@bascule/domain/lib/result.ts'
import type { Envelope, TrustedKeys } from '#/envelope.ts'
import { plainSha256Hex } from '#/plain-sha256.ts'
import { type RoleSigned, type RootSigned, fileBytesOf } from './documents.ts'
import { roleNameFrom } from './names.ts'
import { repositoryChecks } from './repository-checks.ts'
import { type RepositoryDraft, namedSigners, rootKeysOf, trustedKeysOf } from './repository-state.ts'
import { type Difference, reviewAny } from './review-any.ts'

/** One document of a ceremony, as somebody hands it over. Nothing about it is believed. */
export interface CeremonyDocument {
  readonly role: string
  readonly decision: unknown
  readonly signed: unknown
  readonly signatures?: readonly Signature[]
}

/** One document of a ceremony that is exactly its decision. */
export interface ReviewedDocument {
  readonly role: string
  readonly signed: RootSigned | RoleSigned
  readonly difference: Difference
  /** Whose signatures it needs: a root that follows another one needs both quorums. */
  readonly quorums: readonly TrustedKeys[]
  /** Ids that stand beside it. Whether these signatures fit is asked by whoever publishes. */
  readonly signers: readonly string[]
}

export interface CeremonyReview {
  /** Whoever names keys stands before those whose keys it names. */
  readonly documents: readonly ReviewedDocument[]
  readonly isFirst: boolean
  /** The repository as it would be, without the signatures that are still missing. */
  readonly next: RepositoryDraft
}

const documentsMax = 100

/**
 * Reviews all documents that are to be published together, against the repository that this machine has verified; for
 * the first ceremony that is an empty one. The first document that is not exactly its decision condemns all of them,
 * and so does a set that no signer would publish: a role without a file, or a file that would lose its quorum.
 */
export function reviewCeremony(
  before: RepositoryDraft,
  documents: readonly CeremonyDocument[],
  at: Temporal.Instant,
): Result<CeremonyReview, Refusal> {
  const unfit = problemOfSet(documents)
  if (unfit !== undefined) return no('ceremony-has-a-form', unfit)
  const sorted = documents.toSorted((one, other) => rankOf(one.role) - rankOf(other.role))
  const differences: Difference[] = []
  for (const { role, signed, decision } of sorted) {
    const had = role === 'root' ? before.root?.signed : before.roles[role]?.signed
    const reviewed = reviewAny(role, had, signed, decision, at)
    if (!reviewed.ok) return reviewed
    differences.push(reviewed.value)
  }
  const next = nextOf(before, sorted)
  const incomplete = problemOfNext(next, sorted)
  if (incomplete) return refuse(incomplete)
  const reviewed = sorted.map((document, index) => reviewedOf(before, next, document, differences[index] as Difference))
  const nobody = reviewed.find(({ quorums }) => quorums.length === 0)
  if (nobody) return no('role-is-delegated', `Nobody is named for ${nobody.role}.`)
  return ok({ documents: reviewed, isFirst: before.root === undefined, next })
}

/** The roles that this key has to sign: where it counts and does not stand yet. */
export function rolesToSign({ documents }: CeremonyReview, keyId: string): string[] {
  return documents
    .filter(
      ({ quorums, signers }) => quorums.some(({ keys }) => Object.hasOwn(keys, keyId)) && !signers.includes(keyId),
    )
    .map(({ role }) => role)
}

/** How many signatures a document still needs, for the quorum that misses most; 0 when it can be published. */
export function signaturesMissing({ quorums, signers }: Pick<ReviewedDocument, 'quorums' | 'signers'>): number {
  const missing = quorums.map(
    ({ keys, threshold }) => threshold - signers.filter((id) => Object.hasOwn(keys, id)).length,
  )
  return Math.max(0, ...missing)
}

/**
 * The fingerprint that devices are enrolled with: SHA-256 of the bytes of `1.root.json`. The signatures are part of the
 * file, so it is settled when the first root is published and not before.
 */
export function rootFingerprint(root: Envelope<RootSigned>): string {
  return plainSha256Hex(fileBytesOf(root))
}

function problemOfSet(documents: readonly CeremonyDocument[]): string | undefined {
  if (documents.length === 0) return 'There is nothing to sign.'
  if (documents.length > documentsMax) return `There are ${documents.length} documents; ${documentsMax} are reviewed.`
  const roles = documents.map(({ role }) => role)
  const twice = roles.find((role, index) => roles.indexOf(role) !== index)
  return twice === undefined ? undefined : `The draft holds ${twice} twice.`
}

function rankOf(role: string): number {
  return ['root', 'targets', 'board'].indexOf(roleNameFrom(role)?.kind ?? '') + 1 || 4
}

/** Asked only after every document was found to be of its form. */
function nextOf(before: RepositoryDraft, documents: readonly CeremonyDocument[]): RepositoryDraft {
  const roles = { ...before.roles }
  let { root } = before
  for (const document of documents) {
    const signatures = [...(document.signatures ?? [])]
    if (document.role === 'root') root = { signed: document.signed as RootSigned, signatures }
    else roles[document.role] = { signed: document.signed as RoleSigned, signatures }
  }
  return { ...before, ...(root ? { root } : {}), roles }
}

/** What is signed now gets its signatures later; everything else must hold already. */
function problemOfNext(next: RepositoryDraft, documents: readonly CeremonyDocument[]): Refusal | undefined {
  const isNew = new Set(documents.map(({ signed }) => signed))
  for (const { check } of repositoryChecks) {
    const problem = check(next, (document, trusted) =>
      isNew.has(document.signed) ? Object.keys(trusted.keys) : namedSigners(document, trusted),
    )
    if (problem) return problem
  }
  return undefined
}

function reviewedOf(
  before: RepositoryDraft,
  next: RepositoryDraft,
  { role, signed, signatures = [] }: CeremonyDocument,
  difference: Difference,
): ReviewedDocument {
  const then = role === 'root' && before.root ? rootKeysOf(before.root.signed, 'root') : undefined
  const quorums = [then, trustedKeysOf(next, role)].filter((quorum) => quorum !== undefined)
  const signers = [...new Set(signatures.map(({ keyid }) => keyid))]
  return { role, signed: signed as RootSigned | RoleSigned, difference, quorums, signers }
}

function no(rule: string, fact: string): Result<never, Refusal> {
  const lifter = 'Whoever made the draft'
  return refuse({ rule, fact, lifter, next: 'Do not sign. Ask for a new draft.' })
}
