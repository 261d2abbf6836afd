import { parseStrictJson } from '@bascule/trust/canonical.ts'
import { type Envelope, onlyKey, verifyDocument } from '@bascule/trust/envelope.ts'
import { type KeyPair, tufKeyOf } from '@bascule/trust/keys.ts'
import {
  type RoleSigned,
  type RootSigned,
  Signatures,
  SnapshotSigned,
  TimestampSigned,
  fileBytesOf,
} from '@bascule/trust/tuf/documents.ts'
import { roleNameFrom } from '@bascule/trust/tuf/names.ts'
import { documentChecks, formChecks } from '@bascule/trust/tuf/publish-checks.ts'
import { type RepositoryDraft, releasesOf } from '@bascule/trust/tuf/repository-state.ts'

/** The two keys whose signatures this signer made itself. */
export interface OwnKeys {
  readonly snapshot: KeyPair
  readonly timestamp: KeyPair
}

/**
 * What devices have brought back of a repository that lost its newest files. Nothing here is believed because a device
 * says so: a number counts when this signer has signed it once, and a file of people when this signer once listed it and
 * its quorum holds. No device has all files, so they are gathered until nothing is missing.
 */
export interface Gathered {
  readonly snapshot?: Envelope<SnapshotSigned>
  readonly timestamp?: Envelope<TimestampSigned>
  /** The repository with everything that came back so far. */
  readonly draft: RepositoryDraft
  /** Documents that came back, in the order in which they were judged. */
  readonly documents: readonly { readonly role: string; readonly document: Envelope<RootSigned | RoleSigned> }[]
}

/** Adds the files that a device returned, of which those that do not hold change nothing. */
export function gather(before: Gathered, files: Readonly<Record<string, string>>, own: OwnKeys): Gathered {
  // Every root vouches for the next one, and nobody for the first: that one comes from a ceremony or from a backup.
  if (!before.draft.root) return before
  const found = Object.entries(files).flatMap(([name, text]) => {
    const document = envelopeFrom(text)
    return document ? [{ role: roleOfFile(name, versionOf(document)), document }] : []
  })
  const withOwn = found.reduce((gathered, one) => withOwnFile(gathered, one, own), before)
  const withRoots = found
    .filter(({ role }) => role === 'root')
    .toSorted((a, b) => versionOf(a.document) - versionOf(b.document))
    .reduce(withDocument, withOwn)
  // From the top down: who may sign a file stands in the file above it.
  return found
    .filter(({ role, document }) => isListed(withRoots, role, document))
    .toSorted((a, b) => depthOf(a.role) - depthOf(b.role))
    .reduce(withDocument, withRoots)
}

/** Roles whose listed version nobody has brought back yet. The snapshot is one of them while the timestamp names a newer one. */
export function missingOf({ snapshot, timestamp, draft }: Gathered): string[] {
  const listed = Object.entries(snapshot?.signed.meta ?? {}).map(([name, { version }]) => ({
    role: name.slice(0, -'.json'.length),
    version,
  }))
  const roles = listed.filter(({ role, version }) => (draft.roles[role]?.signed.version ?? 0) < version)
  const wanted = timestamp?.signed.meta['snapshot.json'].version ?? 0
  const had = Math.max(snapshot?.signed.version ?? 0, draft.snapshot?.signed.version ?? 0)
  return [...roles.map(({ role }) => role), ...(had < wanted ? ['snapshot'] : [])]
}

/** Whether devices have seen versions above those of the repository. */
export function isBehind({ snapshot, timestamp, draft }: Gathered): boolean {
  const isNewer = (seen: number | undefined, own: number | undefined) => (seen ?? 0) > (own ?? 0)
  return (
    isNewer(snapshot?.signed.version, draft.snapshot?.signed.version) ||
    isNewer(timestamp?.signed.version, draft.timestamp?.signed.version)
  )
}

/** Files to write again, as they were published. */
export function filesOf({ documents }: Gathered) {
  return documents.map(({ role, document }) => ({
    name: `${document.signed.version}.${role}.json`,
    bytes: fileBytesOf(document),
  }))
}

/** Everything that came back and held, to be judged again together with what the next device returns. */
export function textsOf(gathered: Gathered): Record<string, string> {
  const { snapshot, timestamp } = gathered
  return {
    ...Object.fromEntries(filesOf(gathered).map(({ name, bytes }) => [name, Buffer.from(bytes).toString('utf8')])),
    ...(snapshot ? { 'snapshot.json': JSON.stringify(snapshot) } : {}),
    ...(timestamp ? { 'timestamp.json': JSON.stringify(timestamp) } : {}),
  }
}

interface Found {
  readonly role: string
  readonly document: Envelope<unknown>
}

/** The newest snapshot and timestamp that this signer made, as far as anybody has brought one back. */
function withOwnFile(gathered: Gathered, { role, document }: Found, own: OwnKeys): Gathered {
  if (role !== 'snapshot' && role !== 'timestamp') return gathered
  if (!verifyDocument(document, onlyKey(tufKeyOf(own[role].publicKey))).ok) return gathered
  const form = role === 'snapshot' ? SnapshotSigned : TimestampSigned
  const parsed = form.safeParse(document.signed)
  const had = gathered[role]?.signed.version ?? 0
  if (!parsed.success || parsed.data.version <= had) return gathered
  return { ...gathered, [role]: { signed: parsed.data, signatures: document.signatures } }
}

/** Whether the gathered snapshot lists exactly this file, and the repository has an older one. */
function isListed({ snapshot, draft }: Gathered, role: string, { signed, signatures }: Envelope<unknown>): boolean {
  const listed = snapshot?.signed.meta[`${role}.json`]
  const version = versionOf({ signed, signatures })
  if (listed?.version !== version || version <= (draft.roles[role]?.signed.version ?? 0)) return false
  return listed.length === fileBytesOf({ signed, signatures }).length
}

/** Judged as when it was published, but for two questions: versions in between may be lost, and its time may be over. */
function withDocument(gathered: Gathered, { role, document }: Found): Gathered {
  const name = roleNameFrom(role)
  if (!name || !Signatures.safeParse(document.signatures).success) return gathered
  const asked = document as Envelope<RootSigned | RoleSigned>
  if (formChecks.some(({ check }) => check({ role, name, document: asked }))) return gathered
  const { draft } = gathered
  const next = nextOf(draft, role, asked)
  const before = role === 'root' ? draft.root : draft.roles[role]
  const leftOut = role === 'root' ? ['lifetime-in-bounds'] : ['lifetime-in-bounds', 'version-is-the-next']
  const question = { role, name, document: asked, before, repository: draft, next, at: noTime }
  const isRefused = documentChecks.some(({ name: rule, check }) => !leftOut.includes(rule) && check(question))
  if (isRefused) return gathered
  return { ...gathered, draft: next, documents: [...gathered.documents, { role, document: asked }] }
}

/** The only check that asks for the time is left out. */
const noTime = Temporal.Instant.fromEpochMilliseconds(0)

function nextOf(draft: RepositoryDraft, role: string, document: Envelope<RootSigned | RoleSigned>): RepositoryDraft {
  if (role === 'root') return { ...draft, root: document as Envelope<RootSigned> }
  const own = { [role]: document as Envelope<RoleSigned> }
  const counters = { ...draft.counters }
  for (const { at, target } of releasesOf(own)) {
    const line = `${at.board}/${at.line}`
    counters[line] = Math.max(counters[line] ?? 0, target.custom.counter)
  }
  return { ...draft, roles: { ...draft.roles, ...own }, counters }
}

function depthOf(role: string): number {
  if (role === 'targets') return 0
  return roleNameFrom(role)?.kind === 'board' ? 1 : 2
}

/** `3.root.json`, and `root.json` as a device keeps it, are both files of the root. A board may be called by a number. */
function roleOfFile(name: string, version: number): string {
  const role = name.slice(0, -'.json'.length)
  return role.startsWith(`${version}.`) ? role.slice(`${version}.`.length) : role
}

function versionOf({ signed }: Envelope<unknown>): number {
  return Number((signed as { version?: unknown } | null)?.version)
}

function envelopeFrom(text: string): Envelope<unknown> | undefined {
  const json = parseStrictJson(text)
  const value = json.ok ? (json.value as { signed?: unknown; signatures?: unknown } | null) : undefined
  const signatures = Signatures.safeParse(value?.signatures)
  if (!signatures.success || typeof value?.signed !== 'object' || value.signed === null) return undefined
  return { signed: value.signed, signatures: signatures.data }
}
