import { signDocument } from '#/envelope.ts'
import type { KeyPair } from '#/keys.ts'
import { freshMemory } from '#/client/memory.ts'
import { refreshAuthority } from '#/client/refresh-authority.ts'
import type { VerifiedAuthority } from '#/client/verified-authority.ts'
import type { CeremonyPlan } from '#/tuf/flows/first-ceremony.ts'
import type { Proposal, ProposedDocument } from '#/tuf/flows/proposal.ts'
import { type Documents, publish } from '#/tuf/publish.ts'
import { type RepositoryDraft, type RepositoryState, emptyRepository, trustedKeysOf } from '#/tuf/repository-state.ts'
import { reviewCeremony } from '#/tuf/review-ceremony.ts'
import { cacheOf, sourceOf } from './scenario.ts'
import { keyOf, now, publicOf } from './world.ts'

export const custodians = ['cora', 'carl', 'chen'].map(keyOf)
export const members = ['mona', 'milo', 'mira'].map(keyOf)
export const [mona, milo, , dan, dora] = ['mona', 'milo', 'mira', 'dan', 'dora'].map(keyOf) as [
  KeyPair,
  KeyPair,
  KeyPair,
  KeyPair,
  KeyPair,
]
export const everybody = [...custodians, ...members, dan, dora]
export const onlineKeys = { snapshot: keyOf('snapshot'), timestamp: keyOf('timestamp'), director: keyOf('director') }
export const newOnline = {
  snapshot: keyOf('snapshot 2'),
  timestamp: keyOf('timestamp 2'),
  director: keyOf('director 2'),
}
export const plan: CeremonyPlan = {
  custodians: publicOf(custodians),
  custodianThreshold: 2,
  board: 'retail',
  members: members.map(({ publicKey }) => ({ publicKey, level: 3 })),
  quorum: 2,
  emergencyQuorum: 2,
  lines: ['pos', 'kiosk'],
  online: publicKeysOf(onlineKeys),
}

/** A repository with everything that a server hands out, and what a device has seen of it. */
export interface Published {
  readonly state: RepositoryState
  readonly files: ReadonlyMap<string, Uint8Array>
  readonly cache: Map<string, Uint8Array>
  readonly authority: VerifiedAuthority
}

/** Exactly as many as are needed, of every quorum that a document has. */
export function enough(_role: string, needed: readonly KeyPair[]): readonly KeyPair[] {
  return needed
}

export function documentsIn(proposal: Proposal): readonly ProposedDocument[] {
  if (!proposal.ok) throw new Error(`${proposal.error.rule}: ${proposal.error.fact}`)
  return proposal.value
}

/** Signs every document with the least number of keys that its quorums ask for. */
export function signed(
  before: RepositoryDraft,
  proposal: Proposal,
  signers: (role: string, needed: readonly KeyPair[]) => readonly KeyPair[],
): Documents {
  const review = reviewCeremony(before, documentsIn(proposal), now)
  if (!review.ok) throw new Error(`${review.error.rule}: ${review.error.fact}`)
  const entries = review.value.documents.map(({ role, signed: document, quorums }) => {
    // Whoever counts in several quorums comes first, so that no key more than needed signs.
    const pairs = everybody.toSorted((one, other) => countIn(other) - countIn(one))
    const needed = quorums.flatMap(({ keys, threshold }) =>
      pairs.filter(({ keyId }) => keyId in keys).slice(0, threshold),
    )
    function countIn({ keyId }: KeyPair): number {
      return quorums.filter(({ keys }) => keyId in keys).length
    }
    return [role, signDocument(document, signers(role, [...new Set(needed)]))] as const
  })
  return Object.fromEntries(entries)
}

export function envelopes(documents: readonly ProposedDocument[], keys: readonly KeyPair[]): Documents {
  return Object.fromEntries(documents.map(({ role, signed: document }) => [role, signDocument(document, keys)]))
}

/** Publishes and lets a device follow, which has seen everything before. */
export async function published(
  before: Published | undefined,
  proposal: Proposal,
  signers: Parameters<typeof signed>[2],
  keys: typeof onlineKeys = onlineKeys,
): Promise<Published> {
  const state = before?.state ?? emptyRepository
  const outcome = publish(state, signed(state, proposal, signers), { online: onlineOf(keys), at: now })
  if (!outcome.ok) throw new Error(`${outcome.error.rule}: ${outcome.error.fact}`)
  const files = new Map(before?.files)
  for (const { name, bytes } of outcome.value.files) files.set(name, bytes)
  const cache = new Map(before?.cache)
  const refreshed = await refreshAuthority({
    anchor: { bytes: files.get('1.root.json') ?? new Uint8Array() },
    cache: cacheOf(cache),
    sources: [sourceOf(files)],
    lines: ['pos', 'kiosk', 'web'].flatMap((line) =>
      `retail.${line}` in outcome.value.state.roles ? [{ board: 'retail', line }] : [],
    ),
    clock: now,
    memory: before?.authority.memory ?? freshMemory(now),
  })
  if (!refreshed.ok) throw new Error(`${refreshed.error.rule}: ${refreshed.error.fact}`)
  return { state: outcome.value.state, files, cache, authority: refreshed.value }
}

export function everyFileIsSigned(state: RepositoryState): boolean {
  return Object.entries(state.roles).every(([role, document]) => {
    const trusted = trustedKeysOf(state, role)
    return !trusted || document.signatures.filter(({ keyid }) => keyid in trusted.keys).length >= trusted.threshold
  })
}

export function publicKeysOf(keys: typeof onlineKeys) {
  const { snapshot, timestamp, director } = keys
  return { snapshot: snapshot.publicKey, timestamp: timestamp.publicKey, director: director.publicKey }
}

export function onlineOf({ snapshot, timestamp }: typeof onlineKeys) {
  return { snapshot: [snapshot], timestamp: [timestamp] }
}
