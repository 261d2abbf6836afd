import { type Refusal, type Result, ok, refuse } from '@bascule/domain/lib/result.ts'
import { parseStrictJson } from '#/canonical.ts'
import { memoryChecks } from '#/client/memory-checks.ts'
import { type SeenMemory, freshMemory, timeFloor } from '#/client/memory.ts'
import type { Envelope, TrustedKeys } from '#/envelope.ts'
import { expiryFrom } from '#/expiry.ts'
import { plainSha256Hex } from '#/plain-sha256.ts'
import { fittingSignatures } from '#/web-signatures.ts'
import { type SoundnessCase, formChecks, publishableRole, soundnessChecks } from './document-soundness.ts'
import {
  type RoleSigned,
  type RootSigned,
  Signatures,
  SnapshotSigned,
  TimestampSigned,
  fileMaxBytes,
} from './documents.ts'
import { clockTolerance, lifetimeMax } from './lifetimes.ts'
import {
  type RepositoryDraft,
  delegatedRoles,
  delegatorOf,
  namedSigners,
  releasesOf,
  rootKeysOf,
  trustedKeysOf,
} from './repository-state.ts'

/** Where files come from, by the names under which a server hands them out. Nothing about it is believed. */
export interface BundleSource {
  readonly fetchMetadata: (name: string, maxBytes: number) => Promise<Uint8Array | undefined>
}

export interface BundleInput {
  /** Fingerprint of `1.root.json`, from a person or from what this machine has kept. */
  readonly anchorSha256: string
  readonly source: BundleSource
  readonly at: Temporal.Instant
  /** What this machine has seen before; nothing may be older. */
  readonly seen?: SeenMemory
}

/** A repository that this machine has verified itself. Its documents hold only signatures that fit. */
export interface VerifiedRepository extends RepositoryDraft {
  readonly root: Envelope<RootSigned>
  /** Roles whose file has ended. What may still be signed then says `endedAbove`. */
  readonly expired: readonly string[]
  readonly snapshotVersion: number
  readonly timestampVersion: number
  /** To be kept: what was seen is never unseen. */
  readonly memory: SeenMemory
}

/**
 * Verifies everything that a repository's files say, from the fingerprint of the first root on: the chain of roots, the
 * two online files, the custodians, the boards and every role below them. Independent of the client that devices use,
 * and made of what runs in a browser too.
 */
export async function verifyBundle(input: BundleInput): Promise<Result<VerifiedRepository, Refusal>> {
  const seen = input.seen ?? freshMemory(input.at)
  const look: Look = { source: input.source, at: timeFloor(seen, input.at), expired: [] }
  try {
    const root = await newestRoot(look, input.anchorSha256)
    const { timestamp, snapshot } = await newestList(look, root)
    const roles = await rolesBelow(look, root, snapshot.signed)
    const repository: RepositoryDraft = { root, roles, counters: countersOf(roles) }
    const memory = memoryOf(
      { ...seen, notBefore: look.at.toString() },
      root,
      timestamp.signed.version,
      snapshot.signed,
      roles,
    )
    const older = olderThan(seen, memory, snapshot.signed)
    if (older) return refuse(older)
    const [snapshotVersion, timestampVersion] = [snapshot.signed.version, timestamp.signed.version]
    return ok({ ...repository, root, expired: look.expired, snapshotVersion, timestampVersion, memory })
  } catch (error) {
    if (error instanceof Unbelievable) return refuse(error.refusal)
    throw error
  }
}

/**
 * What has ended of that which says that the file of a role is the newest one. While it is anything, the file may be an
 * old one that somebody shows, and nothing but renewals may be signed on top of it. A file that has itself ended under
 * fresh ones is simply due: an emergency list is, most of the time.
 */
export function endedAbove({ expired }: Pick<VerifiedRepository, 'expired'>, role: string): string[] {
  const delegator = delegatorOf(role)
  const above = ['root', 'timestamp', 'snapshot', 'targets', ...(delegator === undefined ? [] : [delegator])]
  return expired.filter((name) => above.includes(name))
}

/** Files that lie here already, as a place to get them from. */
export function sourceOfFiles(files: ReadonlyMap<string, Uint8Array>): BundleSource {
  return { fetchMetadata: (name) => Promise.resolve(files.get(name)) }
}

interface Look {
  readonly source: BundleSource
  readonly at: Temporal.Instant
  readonly expired: string[]
}

/** What ends a verification of many steps; caught where it began. */
class Unbelievable extends Error {
  readonly refusal: Refusal
  constructor(rule: string, fact: string) {
    super(fact)
    const next = 'Do not sign. Compare with another member, who sees the files from another machine.'
    this.refusal = { rule, fact, lifter: 'The server that handed out the file', next }
  }
}

const rootsMax = 1000

async function newestRoot(look: Look, anchorSha256: string): Promise<Envelope<RootSigned>> {
  const anchor = await bytesOf(look, '1.root.json', fileMaxBytes.root)
  if (plainSha256Hex(anchor) !== anchorSha256) {
    throw new Unbelievable('root-is-the-anchor', 'The first root is not the one with the fingerprint that was given.')
  }
  let root = await rootFrom(anchor, 1, undefined)
  for (let version = 2; version <= rootsMax; version += 1) {
    const bytes = await look.source.fetchMetadata(`${version}.root.json`, fileMaxBytes.root)
    if (bytes === undefined) break
    root = await rootFrom(bytes, version, root)
  }
  sound(look, 'root', root)
  return root
}

/** Each root needs the quorum of the one before as well as its own. */
async function rootFrom(
  bytes: Uint8Array,
  version: number,
  before: Envelope<RootSigned> | undefined,
): Promise<Envelope<RootSigned>> {
  const name = `${version}.root.json`
  const read = formed('root', name, envelopeFrom(name, bytes)) as Envelope<RootSigned>
  expectVersion(name, read.signed.version, version)
  const own = await quorumOf(name, read, rootKeysOf(read.signed, 'root'))
  if (!before) return own
  const old = await quorumOf(name, read, rootKeysOf(before.signed, 'root'))
  const isNew = (keyid: string) => own.signatures.every((one) => one.keyid !== keyid)
  return { ...own, signatures: [...own.signatures, ...old.signatures.filter(({ keyid }) => isNew(keyid))] }
}

async function newestList(look: Look, root: Envelope<RootSigned>) {
  const bytes = await bytesOf(look, 'timestamp.json', fileMaxBytes.timestamp)
  const timestamp = parsed('timestamp.json', envelopeFrom('timestamp.json', bytes), TimestampSigned)
  await quorumOf('timestamp.json', timestamp, rootKeysOf(root.signed, 'timestamp'))
  fresh(look, 'timestamp', timestamp)
  const { version, length, hashes } = timestamp.signed.meta['snapshot.json']
  const name = `${version}.snapshot.json`
  const list = await bytesOf(look, name, fileMaxBytes.snapshot)
  if (list.length !== length || plainSha256Hex(list) !== hashes.sha256) {
    throw new Unbelievable('files-fit-together', `${name} is not the one that the timestamp names.`)
  }
  const snapshot = parsed(name, envelopeFrom(name, list), SnapshotSigned)
  expectVersion(name, snapshot.signed.version, version)
  await quorumOf(name, snapshot, rootKeysOf(root.signed, 'snapshot'))
  fresh(look, 'snapshot', snapshot)
  return { timestamp, snapshot }
}

/** Whoever names keys is read before those whose keys it names, so the list grows while it is read. */
async function rolesBelow(
  look: Look,
  root: Envelope<RootSigned>,
  { meta }: SnapshotSigned,
): Promise<Record<string, Envelope<RoleSigned>>> {
  const roles: Record<string, Envelope<RoleSigned>> = {}
  const repository: RepositoryDraft = { root, roles, counters: {} }
  for (;;) {
    const role = delegatedRoles(repository).find((one) => !Object.hasOwn(roles, one))
    if (role === undefined) return roles
    const listed = Object.hasOwn(meta, `${role}.json`) ? meta[`${role}.json`] : undefined
    if (!listed) throw new Unbelievable('files-fit-together', `The snapshot does not name ${role}.`)
    const name = `${listed.version}.${role}.json`
    const bytes = await bytesOf(look, name, fileMaxBytes.targets)
    if (bytes.length !== listed.length) throw new Unbelievable('files-fit-together', `${name} has another length.`)
    const document = formed(role, name, envelopeFrom(name, bytes)) as Envelope<RoleSigned>
    expectVersion(name, document.signed.version, listed.version)
    roles[role] = await quorumOf(name, document, trustedKeysOf(repository, role))
    sound(look, role, document)
  }
}

async function bytesOf({ source }: Look, name: string, maxBytes: number): Promise<Uint8Array> {
  const bytes = await source.fetchMetadata(name, maxBytes)
  if (bytes === undefined) throw new Unbelievable('file-is-there', `${name} is not there.`)
  if (bytes.length > maxBytes) throw new Unbelievable('file-in-bounds', `${name} has more than ${maxBytes} bytes.`)
  return bytes
}

function envelopeFrom(name: string, bytes: Uint8Array): Envelope<unknown> {
  const json = parseStrictJson(new TextDecoder().decode(bytes))
  if (!json.ok) throw new Unbelievable('file-is-strict-json', `${name} ${json.error}.`)
  const { signed, signatures } = (json.value ?? {}) as Partial<Envelope<unknown>>
  const read = Signatures.safeParse(signatures)
  if (!read.success) throw new Unbelievable('role-has-a-form', `${name} is not of the agreed form.`)
  return { signed, signatures: read.data }
}

function parsed<Signed>(
  name: string,
  { signed, signatures }: Envelope<unknown>,
  form: { readonly safeParse: (value: unknown) => { readonly data?: Signed | undefined } },
): Envelope<Signed> {
  const { data } = form.safeParse(signed)
  if (data === undefined) throw new Unbelievable('role-has-a-form', `${name} is not of the agreed form.`)
  return { signed: data, signatures }
}

/** A document that people sign, of the form that its role has. */
function formed(role: string, name: string, document: Envelope<unknown>): Envelope<RoleSigned | RootSigned> {
  const known = publishableRole(role)
  if ('rule' in known) throw new Unbelievable(known.rule, known.fact)
  const typed = document as Envelope<RoleSigned | RootSigned>
  for (const { check } of formChecks) {
    const problem = check({ role, name: known, document: typed })
    if (problem) throw new Unbelievable(problem.rule, `${name}: ${problem.fact}`)
  }
  return typed
}

/** What a document must be by itself. One that has ended is noted, and is sound in everything else. */
function sound(look: Look, role: string, document: Envelope<RoleSigned | RootSigned>): void {
  const name = publishableRole(role)
  if ('rule' in name) throw new Unbelievable(name.rule, name.fact)
  const isOver = hasEnded(look, document)
  if (isOver) look.expired.push(role)
  const about: SoundnessCase = { role, name, document, at: isOver ? whenItBegan(look, document) : look.at }
  for (const { check } of soundnessChecks) {
    const problem = check(about)
    if (problem) throw new Unbelievable(problem.rule, problem.fact)
  }
}

/** The online files say what is newest; an ended one is good for renewals only, and one without end for nothing. */
function fresh(look: Look, role: 'timestamp' | 'snapshot', document: Envelope<TimestampSigned | SnapshotSigned>): void {
  if (hasEnded(look, document)) {
    look.expired.push(role)
    return
  }
  const [end, issued] = [expiryFrom(document.signed.expires), expiryFrom(document.signed['x-issued'])]
  const latest = look.at.add(lifetimeMax(role)).add(clockTolerance)
  const isBounded = end !== undefined && Temporal.Instant.compare(end, latest) <= 0
  const isPast = issued !== undefined && Temporal.Instant.compare(issued, look.at.add(clockTolerance)) <= 0
  if (isBounded && isPast) return
  const { expires, 'x-issued': began } = document.signed
  throw new Unbelievable('lifetime-in-bounds', `The ${role} lives from ${began} until ${expires}, out of bounds.`)
}

function hasEnded({ at }: Look, { signed }: Envelope<{ readonly expires: string }>): boolean {
  const end = expiryFrom(signed.expires)
  return end === undefined || Temporal.Instant.compare(end, at) <= 0
}

function whenItBegan({ at }: Look, { signed }: Envelope<{ readonly 'x-issued': string }>): Temporal.Instant {
  return expiryFrom(signed['x-issued']) ?? at
}

/** The document with the signatures of trusted keys that really fit, when they are enough. */
async function quorumOf<Signed>(
  name: string,
  document: Envelope<Signed>,
  trusted: TrustedKeys | undefined,
): Promise<Envelope<Signed>> {
  if (!trusted) throw new Unbelievable('role-is-delegated', `Nobody is named for ${name}.`)
  const stripped = { signed: document.signed, signatures: await fittingSignatures(document, trusted) }
  const have = namedSigners(stripped, trusted).length
  if (trusted.threshold >= 1 && have >= trusted.threshold) return stripped
  throw new Unbelievable('quorum-signed', `${name} is signed by ${have} of ${trusted.threshold} keys.`)
}

function expectVersion(name: string, has: number, wanted: number): void {
  if (has !== wanted) throw new Unbelievable('files-fit-together', `${name} is version ${has} inside.`)
}

function memoryOf(
  seen: SeenMemory,
  { signed: root }: Envelope<RootSigned>,
  timestampVersion: number,
  snapshot: SnapshotSigned,
  roles: Readonly<Record<string, Envelope<RoleSigned>>>,
): SeenMemory {
  const versions = Object.entries(roles).map(([role, { signed }]) => [role, signed.version] as const)
  const keysOf = (role: 'snapshot' | 'timestamp') => [...root.roles[role].keyids].sort().join('+')
  return {
    ...seen,
    rootVersion: root.version,
    snapshotVersion: snapshot.version,
    timestampVersion,
    onlineKeys: `${keysOf('snapshot')}/${keysOf('timestamp')}`,
    roles: { ...seen.roles, ...Object.fromEntries(versions) },
  }
}

function olderThan(seen: SeenMemory, now: SeenMemory, { meta }: SnapshotSigned): Refusal | undefined {
  const listed = Object.entries(meta).map(([name, { version }]) => [name.replace(/\.json$/, ''), version] as const)
  for (const { name, check } of memoryChecks) {
    const finding = check({ seen, now, metaVersions: Object.fromEntries(listed) })
    if (finding) return new Unbelievable(name, finding.fact).refusal
  }
  return undefined
}

function countersOf(roles: Readonly<Record<string, Envelope<RoleSigned>>>): Record<string, number> {
  const counters: Record<string, number> = {}
  for (const { at, target } of releasesOf(roles)) {
    const line = `${at.board}/${at.line}`
    counters[line] = Math.max(counters[line] ?? 0, target.custom.counter)
  }
  return counters
}
