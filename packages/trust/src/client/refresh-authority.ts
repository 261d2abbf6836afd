import { type Result, ok, refuse } from '@bascule/domain/lib/result.ts'
import type { Fetcher } from 'tuf-js'
import { DownloadHTTPError } from 'tuf-js/dist/error.js'
import { sha256Hex } from '#/keys.ts'
import type { FreshnessProfile } from '#/tuf/lifetimes.ts'
import { emergencyRoleName, lineRoleName, roleNameFrom, stopRoleName } from '#/tuf/names.ts'
import { type MemoryCheck, memoryChecks } from './memory-checks.ts'
import { type SeenMemory, timeFloor } from './memory.ts'
import { type MetadataCheck, maxBytesOf, metadataCaseOf, metadataChecks } from './metadata-checks.ts'
import { type AuthorityRefusal, type Finding, refusalFrom } from './refusal.ts'
import { type MetadataCache, TufClient, metadataBaseUrl } from './tuf-client.ts'
import { type VerifiedAuthority, authorityOf, metaVersionsOf } from './verified-authority.ts'

/** One place to get metadata from: the server, a relay, a folder. Throws when the place cannot be reached. */
export interface MetadataSource {
  /** The file of this name, or undefined when there is none. Reads `maxBytes` and one byte at most. */
  readonly fetchMetadata: (name: string, maxBytes: number) => Promise<Uint8Array | undefined>
}

export interface RefreshInput {
  /** `1.root.json` as the device got it when it was enrolled, and the fingerprint if it was given one. */
  readonly anchor: { readonly bytes: Uint8Array; readonly sha256?: string }
  readonly cache: MetadataCache
  /** Asked in this order until one gives a state that can be believed. */
  readonly sources: readonly MetadataSource[]
  /** The product lines whose roles are wanted, with the board that each belongs to. */
  readonly lines: readonly { readonly board: string; readonly line: string }[]
  readonly clock: Temporal.Instant
  readonly memory: SeenMemory
  readonly profile?: FreshnessProfile
  /** Whether the cache will do while its timestamp lives: nothing is fetched then. For a restart, and without a network. */
  readonly preferCache?: boolean
  /** Only a mutation test gives these: the same lists with one check missing. */
  readonly checks?: { readonly metadata?: readonly MetadataCheck[]; readonly memory?: readonly MemoryCheck[] }
}

/**
 * Brings the device's view of the authority up to date, through any number of relays that may lie. What comes back was
 * verified from the anchor on, is not older than anything the device has seen, and names the keys of the director.
 */
export async function refreshAuthority(input: RefreshInput): Promise<Result<VerifiedAuthority, AuthorityRefusal>> {
  const { anchor } = input
  if (anchor.sha256 !== undefined && sha256Hex(anchor.bytes) !== anchor.sha256) {
    const fact = 'The root that this device was given is not the one whose fingerprint it was given.'
    return refuse(refusalFrom('root-is-the-anchor', { code: 'ROOT', fact }))
  }
  let refusal = refusalFrom('some-source-answers', { code: 'UNAVAILABLE', fact: 'No source is known.' })
  let partial: VerifiedAuthority | undefined
  for (const source of input.preferCache ? [nowhere, ...input.sources] : input.sources) {
    const outcome = await refreshFrom(source, input)
    if (!outcome.ok) refusal = outcome.error
    else if (Object.keys(outcome.value.failures).length === 0) return outcome
    else if (!partial || isBetter(outcome.value, partial)) partial = outcome.value
  }
  return partial ? ok(partial) : refuse(refusal)
}

/** What misses fewer roles, and of two that miss as many the newer one. */
function isBetter(one: VerifiedAuthority, other: VerifiedAuthority): boolean {
  const [misses, had] = [one, other].map(({ failures }) => Object.keys(failures).length)
  if (misses !== had) return (misses ?? 0) < (had ?? 0)
  return one.timestampVersion > other.timestampVersion
}

/** The source of a device that asks its cache only. */
const nowhere: MetadataSource = { fetchMetadata: () => Promise.resolve(undefined) }

/** A refusal on its way through tuf-js, which wraps what it catches. */
class RefusedFile extends Error {}

interface Session {
  readonly client: TufClient
  /** What a check of ours found last; tuf-js keeps only the text. */
  refusal: AuthorityRefusal | undefined
}

async function refreshFrom(
  source: MetadataSource,
  input: RefreshInput,
): Promise<Result<VerifiedAuthority, AuthorityRefusal>> {
  const at = timeFloor(input.memory, input.clock)
  const session = openSession(source, input, at)
  if ('code' in session) return refuse(session)
  const top = await attempt(session, 'root', () => session.client.refresh())
  if (top) return refuse(top)
  const failures = await loadRoles(session, input.lines)
  const authority = authorityOf(session.client, failures, input.memory, at)
  for (const { name, check } of input.checks?.memory ?? memoryChecks) {
    const finding = check({ seen: input.memory, now: authority.memory, metaVersions: metaVersionsOf(session.client) })
    if (finding) return refuse(refusalFrom(name, finding))
  }
  return ok(authority)
}

/** A client from the cached root, or from the anchor when a loss of power left half of it: the chain leads on from there. */
function openSession(source: MetadataSource, input: RefreshInput, at: Temporal.Instant): Session | AuthorityRefusal {
  const session: { client?: TufClient; refusal: AuthorityRefusal | undefined } = { refusal: undefined }
  const guard = guardOf(input, at, (refusal) => (session.refusal = refusal))
  const cache = guardedCache(input.cache, guard)
  const fetcher = fetcherOf(source, guard)
  const open = () => new TufClient(cache, fetcher, at, source === nowhere)
  try {
    session.client = open()
  } catch {
    // Whatever is wrong with the cached root, the anchor is what the device was enrolled with.
    input.cache.write('root.json', input.anchor.bytes)
  }
  try {
    session.client ??= open()
  } catch (error) {
    const fact = `The root that this device was enrolled with cannot be read: ${messageOf(error)}.`
    return session.refusal ?? refusalFrom('root-is-the-anchor', { code: 'ROOT', fact })
  }
  session.refusal = undefined
  return session as Session
}

type Guard = (role: string, bytes: Uint8Array, maxBytes: number) => void

function guardOf(input: RefreshInput, at: Temporal.Instant, onRefusal: (refusal: AuthorityRefusal) => void): Guard {
  const checks = input.checks?.metadata ?? metadataChecks
  return (role, bytes, maxBytes) => {
    const file = metadataCaseOf(role, bytes, { at, profile: input.profile ?? 'connected', maxBytes })
    if (!file) throw new RefusedFile(`${role} is no role`)
    for (const { name, check } of checks) {
      const finding = check(file)
      if (!finding) continue
      onRefusal(refusalFrom(name, finding))
      throw new RefusedFile(finding.fact)
    }
  }
}

/** A cached file that fails is as good as none: it is fetched again. */
function guardedCache(cache: MetadataCache, guard: Guard): MetadataCache {
  return {
    read: (name) => {
      const bytes = cache.read(name)
      if (bytes) guard(roleOfFile(name), bytes, Number.MAX_SAFE_INTEGER)
      return bytes
    },
    write: cache.write,
  }
}

function fetcherOf(source: MetadataSource, guard: Guard): Fetcher {
  return {
    downloadFile: () => Promise.reject(new Error('A device fetches no targets through its metadata client')),
    downloadBytes: async (url, maxLength) => {
      const name = decodeURIComponent(url.slice(metadataBaseUrl.length))
      const role = roleOfFile(name)
      const kind = roleNameFrom(role)?.kind
      const maxBytes = Math.min(maxLength, kind === undefined ? 0 : maxBytesOf(kind))
      const bytes = await source.fetchMetadata(name, maxBytes)
      if (!bytes) throw new DownloadHTTPError(`${name} is not there`, 404)
      guard(role, bytes, maxBytes)
      return Buffer.from(bytes)
    },
  }
}

function roleOfFile(name: string): string {
  return decodeURIComponent(name.replace(/^\d+\./, '').replace(/\.json$/, ''))
}

/** Loads what an install of these lines needs. One role that fails does not hide the others. */
async function loadRoles(session: Session, lines: RefreshInput['lines']): Promise<Record<string, AuthorityRefusal>> {
  const failures: Record<string, AuthorityRefusal> = {}
  for (const { board, line } of lines) {
    const wanted = [
      [lineRoleName(board, line), `${board}/${line}/normal/any.json`],
      [emergencyRoleName(board), `${board}/${line}/emergency/any.json`],
      [stopRoleName(board), `${board}/${line}/stop/any.json`],
    ] as const
    for (const [role, path] of wanted) {
      if (session.client.trustedSet.getRole(role) || Object.hasOwn(failures, role)) continue
      // The name of the target does not matter: on its way tuf-js loads and verifies every role that may list it.
      const failure = await attempt(session, role, () => session.client.getTargetInfo(path))
      if (failure) failures[role] = failure
    }
  }
  return failures
}

async function attempt(
  session: Session,
  role: string,
  action: () => Promise<unknown>,
): Promise<AuthorityRefusal | undefined> {
  session.refusal = undefined
  try {
    await action()
    return undefined
  } catch (error) {
    // A finding about a cached file is no failure when the fetched one was good; then nothing was thrown.
    const isOurs =
      session.refusal !== undefined && messageOf(error).includes((session.refusal as AuthorityRefusal).fact)
    return isOurs
      ? session.refusal
      : refusalFrom('tuf-verifies', { code: codeOf(error), fact: `${role}: ${messageOf(error)}.` })
  }
}

/** The words of tuf-js, which wraps its errors and keeps only their text. */
const words: readonly (readonly [RegExp, Finding['code']])[] = [
  [/signed by \d+\/\d+|multiple signatures/, 'QUORUM'],
  [/is expired/, 'EXPIRED'],
  [/less than current version|Missing file|Expected version \d+, got/, 'ROLLBACK'],
  [
    /Expected (?:length|hash)|does not match snapshot version|doesn't match timestamp|reading 'length'|Missing .* in snapshot/,
    'MIX',
  ],
  [/is not there|fetch|ECONN|timed? ?out|Reaching/i, 'UNAVAILABLE'],
]

function codeOf(error: unknown): Finding['code'] {
  const message = messageOf(error)
  return words.find(([pattern]) => pattern.test(message))?.[1] ?? 'TUF'
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
