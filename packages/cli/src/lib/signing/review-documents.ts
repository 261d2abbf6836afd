import type { DraftDocument } from '@bascule/contract/decide/signing.ts'
import type { ReleaseManifest } from '@bascule/contract/device/release-manifest.ts'
import { ok, refuse, type Refusal, type Result } from '@bascule/domain/lib/result.ts'
import type { Envelope, TrustedKeys } from '@bascule/trust/envelope.ts'
import { signersOf } from '@bascule/trust/tuf/attach-signature.ts'
import { reviewBoardDraft } from '@bascule/trust/tuf/board-draft.ts'
import { decisionFrom, type DocumentDecision } from '@bascule/trust/tuf/decision.ts'
import type { DelegatingSigned, ReleaseTarget, RoleSigned, RootSigned } from '@bascule/trust/tuf/documents.ts'
import { noVersion, reviewDraft, type RoleDecision, verifiedVersionOf } from '@bascule/trust/tuf/draft.ts'
import { roleNameFrom, stopRoleName, targetPathFrom } from '@bascule/trust/tuf/names.ts'
import {
  emptyRepository,
  type RepositoryDraft,
  rootKeysOf,
  trustedKeysOf,
} from '@bascule/trust/tuf/repository-state.ts'
import { reviewRootDraft } from '@bascule/trust/tuf/root-draft.ts'
import { checkManifest } from './check-manifest.ts'
import { boardWords, type NameOfKey, roleWords, rootWords } from '@bascule/trust/tuf/decision-words.ts'

/** A document that passed: what a signature under it means, and whose signatures count. */
export interface ReviewedDocument {
  readonly role: string
  readonly signed: Record<string, unknown>
  readonly decision: DocumentDecision
  readonly words: readonly string[]
  /** A root is signed by the quorum before it as well as by its own; everything else has one quorum. */
  readonly quorums: readonly TrustedKeys[]
  /** Ids of the keys whose signatures are there and fit. */
  readonly signers: readonly string[]
}

/** What a review reads of a document; whatever else the server says about it counts for nothing. */
export type DocumentToReview = Pick<DraftDocument, 'role' | 'decision' | 'signed'> & {
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[]
}

export interface ReviewInput {
  /** What this machine has verified; undefined before the first ceremony. */
  readonly repository: RepositoryDraft | undefined
  readonly documents: readonly DocumentToReview[]
  readonly at: Temporal.Instant
  readonly nameOf: NameOfKey
  /** Answers the manifest of this hash, from wherever. It is checked here. */
  readonly fetchManifest: (sha256: string, maxBytes: number) => Promise<Uint8Array | undefined>
}

/**
 * Reviews every document of a draft against the version before it that this machine verified itself, and not against
 * anything the server says. The first one that is not exactly its decision condemns the whole draft.
 */
export async function reviewDocuments(input: ReviewInput): Promise<Result<ReviewedDocument[], Refusal<string>>> {
  const documents = input.documents.toSorted((one, other) => rankOf(one) - rankOf(other))
  const next = repositoryAfter(input.repository ?? emptyRepository, documents)
  const reviewed: ReviewedDocument[] = []
  for (const document of documents) {
    const outcome = await reviewOne(input, next, document)
    if (!outcome.ok) return outcome
    reviewed.push(outcome.value)
  }
  const twice = reviewed.find(({ role }, index) => reviewed.findIndex((other) => other.role === role) !== index)
  return twice ? no('draft-has-a-form', `The draft holds ${twice.role} twice.`) : ok(reviewed)
}

/** Ids of keys that may still sign this document. */
export function missingSigners({ quorums, signers }: Pick<ReviewedDocument, 'quorums' | 'signers'>): string[] {
  const members = quorums.flatMap(({ keys }) => Object.keys(keys))
  return [...new Set(members)].filter((id) => !signers.includes(id))
}

/** How many signatures are there and how many are needed, for the quorum that misses most. */
export function countOf({ quorums, signers }: Pick<ReviewedDocument, 'quorums' | 'signers'>): {
  have: number
  need: number
} {
  const counts = quorums.map(({ keys, threshold }) => ({
    have: signers.filter((id) => Object.hasOwn(keys, id)).length,
    need: threshold,
  }))
  return counts.reduce((worst, one) => (one.need - one.have > worst.need - worst.have ? one : worst), {
    have: signers.length,
    need: counts[0]?.need ?? 1,
  })
}

/** Whether enough have signed for the document to be published. */
export function isComplete(document: Pick<ReviewedDocument, 'quorums' | 'signers'>): boolean {
  const { have, need } = countOf(document)
  return have >= need
}

/** Whoever names keys is reviewed before those whose keys it names. */
function rankOf({ role }: DocumentToReview): number {
  return ['root', 'targets', 'board'].indexOf(roleNameFrom(role)?.kind ?? '') + 1 || 4
}

async function reviewOne(
  input: ReviewInput,
  next: RepositoryDraft,
  document: DocumentToReview,
): Promise<Result<ReviewedDocument, Refusal<string>>> {
  const { role } = document
  const decision = decisionFrom(role, document.decision)
  if (!decision) return no('decision-has-a-form', `What was decided about ${role} is not of the agreed form.`)
  const words = await wordsOf(input, role, decision, document.signed)
  if (!words.ok) return words
  const quorums = quorumsOf(input.repository, next, role)
  if (quorums.length === 0) return no('role-is-delegated', `Nobody is named for ${role}.`)
  const signed = document.signed as Record<string, unknown>
  const envelope: Envelope<unknown> = {
    signed,
    signatures: document.signatures.map(({ keyid, sig }) => ({ keyid, sig })),
  }
  const signers = new Set(quorums.flatMap((quorum) => signersOf(envelope, quorum)))
  return ok({ role, signed, decision, words: words.value, quorums, signers: [...signers] })
}

async function wordsOf(
  input: ReviewInput,
  role: string,
  { document, decision }: DocumentDecision,
  draft: unknown,
): Promise<Result<string[], Refusal<string>>> {
  const { repository, at, nameOf } = input
  switch (document) {
    case 'root': {
      const reviewed = reviewRootDraft(repository?.root?.signed, draft, decision, at)
      return reviewed.ok ? ok(rootWords(reviewed.value, nameOf)) : reviewed
    }
    case 'delegations': {
      const before = repository?.roles[role]?.signed as DelegatingSigned | undefined
      const reviewed = reviewBoardDraft(role, before, draft, decision, at)
      return reviewed.ok ? ok(boardWords(reviewed.value, nameOf)) : reviewed
    }
    case 'releases':
      return await wordsOfReleases(input, role, decision, draft)
    default:
      return document satisfies never
  }
}

async function wordsOfReleases(
  input: ReviewInput,
  role: string,
  decision: RoleDecision,
  draft: unknown,
): Promise<Result<string[], Refusal<string>>> {
  const had = input.repository?.roles[role]?.signed
  const reviewed = reviewDraft(had ? verifiedVersionOf(role, had) : noVersion(role), draft, decision, input.at)
  if (!reviewed.ok) return reviewed
  const target = 'target' in decision && decision.target.custom.kind === 'release' ? decision.target : undefined
  if (!target) return ok(roleWords(reviewed.value))
  const manifest = await manifestOf(input, target as ReleaseTarget)
  if (!manifest.ok) return manifest
  return ok([...roleWords(reviewed.value, manifest.value), ...stopWords(input.repository, decision)])
}

async function manifestOf(
  input: ReviewInput,
  target: ReleaseTarget,
): Promise<Result<ReleaseManifest, Refusal<string>>> {
  const bytes = await input.fetchManifest(target.hashes.sha256, target.length)
  if (bytes === undefined) return no('manifest-is-there', `The server has no manifest ${target.hashes.sha256}.`)
  const checked = checkManifest(bytes, target)
  return checked.ok ? checked : no(checked.error.rule, checked.error.fact)
}

/** A stop is stronger than any go; whoever signs a go for something that is stopped should know. */
function stopWords(repository: RepositoryDraft | undefined, decision: RoleDecision): string[] {
  if (!('path' in decision)) return []
  const at = targetPathFrom(decision.path)
  const stops = at && repository?.roles[stopRoleName(at.board)]?.signed.targets
  const isStopped = Object.keys(stops ?? {}).some((path) => {
    const stop = targetPathFrom(path)
    return stop?.line === at?.line && stop?.release === at?.release
  })
  return isStopped ? ['Note: this release is on the stop list; devices refuse it until the stop is lifted.'] : []
}

/** What would be published with this draft: who signs a role may change in the same draft. */
function repositoryAfter(repository: RepositoryDraft, documents: readonly DocumentToReview[]): RepositoryDraft {
  const roles = { ...repository.roles }
  let { root } = repository
  for (const { role, signed } of documents) {
    if (role === 'root') root = { signed: signed as RootSigned, signatures: [] }
    else roles[role] = { signed: signed as RoleSigned, signatures: [] }
  }
  return { ...repository, ...(root ? { root } : {}), roles }
}

function quorumsOf(before: RepositoryDraft | undefined, next: RepositoryDraft, role: string): TrustedKeys[] {
  const own =
    roleNameFrom(role)?.kind === 'root' ? next.root && rootKeysOf(next.root.signed, 'root') : trustedKeysOf(next, role)
  const old = role === 'root' && before?.root ? rootKeysOf(before.root.signed, 'root') : undefined
  return [old, own].filter((quorum) => quorum !== undefined)
}

function no(rule: string, fact: string): Result<never, Refusal<string>> {
  return refuse({ rule, fact, lifter: 'Nobody', next: 'Do not sign. Tell the other members what this draft holds.' })
}
