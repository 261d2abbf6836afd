import { devicePaths } from '@bascule/contract/device/protocol.ts'
import { ok, refuse, type Refusal, type Result } from '@bascule/domain/lib/result.ts'
import type { MetadataSource } from '@bascule/trust/client/refresh-authority.ts'
import { refreshAuthority } from '@bascule/trust/client/refresh-authority.ts'
import type { AuthorityRefusal } from '@bascule/trust/client/refusal.ts'
import type { VerifiedAuthority } from '@bascule/trust/client/verified-authority.ts'
import { parseStrictJson } from '@bascule/trust/canonical.ts'
import type { Envelope } from '@bascule/trust/envelope.ts'
import { sha256Hex } from '@bascule/trust/keys.ts'
import { signersOf } from '@bascule/trust/tuf/attach-signature.ts'
import { fileMaxBytes, type RoleSigned, type RootSigned, type SnapshotSigned } from '@bascule/trust/tuf/documents.ts'
import { roleNameFrom } from '@bascule/trust/tuf/names.ts'
import {
  delegatedRoles,
  delegationsOf,
  type RepositoryDraft,
  trustedKeysOf,
} from '@bascule/trust/tuf/repository-state.ts'
import { expiredRepository } from './expired-repository.ts'
import type { Anchor, ServerMemory } from './member-home.ts'

/** What this machine has verified itself, from the anchor on. */
export interface OwnView {
  readonly repository: RepositoryDraft
  readonly anchor: { readonly sha256: string; readonly isFromFingerprint: boolean; readonly isNew: boolean }
  readonly rootVersion: number
  readonly snapshotVersion: number
  /** Whether something at the top has expired: then nothing but a renewal may be signed. */
  readonly isExpired: boolean
  /** Roles that could not be verified, with the reason; nothing of them may be signed. */
  readonly failures: Readonly<Record<string, Refusal<string>>>
}

export interface OwnViewInput {
  readonly server: string
  readonly memory: ServerMemory
  readonly at: Temporal.Instant
  /** The fingerprint of the root as somebody gave it to this person, not as the server says it. */
  readonly rootSha256?: string
}

/**
 * Brings the member's own memory of a server up to date and answers what it holds then. Undefined before the first
 * ceremony of a server that this machine has never seen with one.
 */
export async function refreshOwnView(input: OwnViewInput): Promise<Result<OwnView | undefined, Refusal<string>>> {
  const source = metadataSourceOf(input.server)
  const anchored = await anchorFor(input, source)
  if (!anchored.ok) return anchored
  if (anchored.value === undefined) return ok(undefined)
  const { anchor, isNew } = anchored.value
  const authority = await refreshAll(input, source, anchor)
  if (!authority.ok)
    return authority.error.code === 'EXPIRED' ? await expiredView(input, source, anchored.value) : authority
  const repository = await repositoryOf(input.memory, source, authority.value)
  // Only after everything was believed: what was seen now is never unseen.
  if (isNew) input.memory.setAnchor(anchor)
  input.memory.setSeen(authority.value.memory)
  const { rootVersion, snapshotVersion } = authority.value
  const isKnown = (role: string): boolean => Object.hasOwn(repository.roles, role)
  const failures = Object.entries(authority.value.failures).filter(([role]) => !isKnown(role))
  return ok({
    repository,
    anchor: { sha256: sha256Hex(anchor.bytes), isFromFingerprint: anchor.isFromFingerprint, isNew },
    rootVersion,
    snapshotVersion,
    isExpired: false,
    failures: Object.fromEntries(failures),
  })
}

/** Nothing is remembered of it but what was remembered before: it is not fresh. */
async function expiredView(
  { memory }: OwnViewInput,
  source: MetadataSource,
  { anchor, isNew }: { readonly anchor: Anchor; readonly isNew: boolean },
): Promise<Result<OwnView, Refusal<string>>> {
  const found = await expiredRepository(memory.cache.read('root.json') ?? anchor.bytes, source, memory.seen())
  if (!found.ok) return found
  const { snapshotVersion, ...repository } = found.value
  const { isFromFingerprint, bytes } = anchor
  const rootVersion = repository.root?.signed.version ?? 1
  const about = { sha256: sha256Hex(bytes), isFromFingerprint, isNew }
  return ok({ repository, anchor: about, rootVersion, snapshotVersion, isExpired: true, failures: {} })
}

/** A server as a place to get metadata from; it is believed in nothing. */
export function metadataSourceOf(server: string): MetadataSource {
  return {
    fetchMetadata: async (name, maxBytes) => {
      const response = await fetch(`${server}${devicePaths.tuf(encodeURIComponent(name))}`)
      if (response.status === 404) return undefined
      if (!response.ok) throw new Error(`Reaching ${server} for ${name}: it answered ${response.status}`)
      return await bytesUpTo(response, maxBytes)
    },
  }
}

/** Reads one byte more than is wanted at most: an endless answer ends there, and is seen to be too long. */
export async function bytesUpTo(response: Response, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk)
    size += chunk.length
    if (size > maxBytes) break
  }
  return Buffer.concat(chunks).subarray(0, maxBytes + 1)
}

async function anchorFor(
  { memory, rootSha256 }: OwnViewInput,
  source: MetadataSource,
): Promise<Result<{ anchor: Anchor; isNew: boolean } | undefined, Refusal<string>>> {
  const known = memory.anchor()
  const bytes = known?.bytes ?? (await source.fetchMetadata('1.root.json', fileMaxBytes.root))
  if (bytes === undefined) return ok(undefined)
  if (rootSha256 !== undefined && sha256Hex(bytes) !== rootSha256) {
    const whose = known ? 'The root that this machine has kept' : 'The root that the server shows'
    return refuse({
      rule: 'root-is-the-anchor',
      fact: `${whose} has the fingerprint ${sha256Hex(bytes)}, not the one that you were given.`,
      lifter: 'Whoever gave you the fingerprint',
      next: 'Compare it with the ceremony sheet.',
    })
  }
  const isMine = memory.isOfMyCeremony(documentFrom(bytes)?.signed)
  const isFromFingerprint = rootSha256 !== undefined || isMine || known?.isFromFingerprint === true
  const isNew = known === undefined || isFromFingerprint !== known.isFromFingerprint
  return ok({ anchor: { bytes, isFromFingerprint }, isNew })
}

/** First the boards, then their lines: only signed files say which there are. */
async function refreshAll(
  { memory, at }: OwnViewInput,
  source: MetadataSource,
  anchor: Anchor,
): Promise<Result<VerifiedAuthority, AuthorityRefusal>> {
  const base = {
    anchor: { bytes: anchor.bytes },
    cache: memory.cache,
    sources: [source],
    clock: at,
    memory: memory.seen(),
  }
  const top = await refreshAuthority({ ...base, lines: [] })
  if (!top.ok) return top
  const boards = delegatedFrom(top.value, 'targets').filter((name) => roleNameFrom(name)?.kind === 'board')
  if (boards.length === 0) return top
  const withBoards = await refreshAuthority({ ...base, lines: boards.map((board) => ({ board, line: 'none' })) })
  if (!withBoards.ok) return withBoards
  const lines = boards.flatMap((board) =>
    delegatedFrom(withBoards.value, board).flatMap((name) => {
      const role = roleNameFrom(name)
      return role?.kind === 'line' ? [{ board, line: role.line }] : []
    }),
  )
  return lines.length === 0 ? withBoards : await refreshAuthority({ ...base, lines })
}

function delegatedFrom(authority: VerifiedAuthority, role: string): string[] {
  const signed = authority.roles[role]?.signed as RoleSigned | undefined
  return delegationsOf(signed)?.roles.map(({ name }) => name) ?? []
}

/** The verified documents with their signatures, from the files that the refresh has left in the cache. */
async function repositoryOf(
  memory: ServerMemory,
  source: MetadataSource,
  authority: VerifiedAuthority,
): Promise<RepositoryDraft> {
  const root = documentFrom<RootSigned>(memory.cache.read('root.json'))
  const entries = Object.keys(authority.roles).flatMap((role) => {
    const document = documentFrom<RoleSigned>(memory.cache.read(`${encodeURIComponent(role)}.json`))
    return document ? [[role, document] as const] : []
  })
  const verified: RepositoryDraft = { ...(root ? { root } : {}), roles: Object.fromEntries(entries), counters: {} }
  return await withExpired(verified, memory, source, authority)
}

/**
 * A file that has expired lets nothing out any more, but it is what the next version follows. Its quorum is counted
 * here; its version is the one that the verified snapshot names.
 */
async function withExpired(
  repository: RepositoryDraft,
  memory: ServerMemory,
  source: MetadataSource,
  { failures }: VerifiedAuthority,
): Promise<RepositoryDraft> {
  const snapshot = documentFrom<SnapshotSigned>(memory.cache.read('snapshot.json'))
  const roles = { ...repository.roles }
  const expired = delegatedRoles(repository).filter((role) => failures[role]?.code === 'EXPIRED')
  for (const role of expired) {
    const version = snapshot?.signed.meta[`${role}.json`]?.version
    const trusted = trustedKeysOf(repository, role)
    if (version === undefined || trusted === undefined) continue
    const document = documentFrom<RoleSigned>(
      await source.fetchMetadata(`${version}.${role}.json`, fileMaxBytes.targets),
    )
    const isSigned = document && signersOf(document, trusted).length >= trusted.threshold
    if (isSigned && document.signed.version === version) roles[role] = document
  }
  return { ...repository, roles }
}

function documentFrom<Signed>(bytes: Uint8Array | undefined): Envelope<Signed> | undefined {
  const parsed = bytes && parseStrictJson(new TextDecoder().decode(bytes))
  return parsed?.ok ? (parsed.value as Envelope<Signed>) : undefined
}
