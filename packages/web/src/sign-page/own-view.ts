import { ok, refuse, type Refusal, type Result } from '@bascule/domain/lib/result.ts'
import { canonicalJson } from '@bascule/trust/canonical.ts'
import type { Envelope, TrustedKeys } from '@bascule/trust/envelope.ts'
import {
  DelegatingSigned,
  fileMaxBytes,
  ReleasesSigned,
  type RoleSigned,
  RootSigned,
  SnapshotSigned,
  StopsSigned,
  TimestampSigned,
} from '@bascule/trust/tuf/documents.ts'
import { noVersion, type VerifiedVersion, verifiedVersionOf } from '@bascule/trust/tuf/draft.ts'
import { pathPatternOf, roleNameFrom } from '@bascule/trust/tuf/names.ts'
import { delegationsOf, type RepositoryDraft, rootKeysOf, trustedKeysOf } from '@bascule/trust/tuf/repository-state.ts'
import { sha256HexOf, utf8 } from './bytes.ts'
import type { OwnMemory } from './own-memory.ts'
import { expectFresh, expectQuorum, fileFrom, NotBelieved } from './verify-document.ts'

/** Where the files of the boards come from; it is believed in nothing. Undefined for a file that is not there. */
export type FetchFile = (name: string, maxBytes: number) => Promise<string | undefined>

/** What this page has verified from the anchor on, and what it has to remember of it. */
export interface OwnView {
  readonly anchor: { readonly sha256: string; readonly since: string; readonly isNew: boolean }
  readonly memory: OwnMemory
  /** The version of a listing role that a draft must follow. */
  versionOf(role: string): VerifiedVersion
  quorumOf(role: string): TrustedKeys
}

interface Look {
  readonly fetchFile: FetchFile
  readonly memory: OwnMemory | undefined
  readonly at: Temporal.Instant
}

const rootsMax = 1000

/**
 * Follows the chain from the anchor to these listing roles: every root after the one remembered, the timestamp, the
 * snapshot, the custodians, the board. Each step is verified with the keys of the step before, and nothing may be older
 * than what this page has seen. Without a memory the first root that is handed out becomes the anchor.
 */
export async function lookAtBoards(look: Look, roles: readonly string[]): Promise<Result<OwnView, Refusal>> {
  try {
    const anchor = look.memory?.anchor ?? (await fetched(look, '1.root.json', fileMaxBytes.root))
    const root = await newestRoot(look, anchor)
    const { timestamp, snapshot } = await newestSnapshot(look, root.file)
    const reader = roleReader(look, root.file, snapshot)
    for (const role of roles) await reader.read(role)
    const anchorSha256 = await sha256HexOf(utf8(anchor))
    const anchoredAt = look.memory?.anchoredAt ?? look.at.toString()
    const memory: OwnMemory = {
      anchor,
      anchorSha256,
      anchoredAt,
      root: root.text,
      timestamp,
      snapshot: snapshot.version,
      roles: versionsIn(snapshot),
      contents: { ...look.memory?.contents, ...reader.contents },
    }
    return ok({
      anchor: { sha256: anchorSha256, since: anchoredAt, isNew: look.memory === undefined },
      memory,
      versionOf: (role) => versionIn(reader.repository, role),
      quorumOf: (role) => trustedKeysOf(reader.repository, role) ?? { keys: {}, threshold: 1 },
    })
  } catch (error) {
    if (error instanceof NotBelieved) return refuse(error.refusal)
    throw error
  }
}

interface NewestRoot {
  readonly file: Envelope<RootSigned>
  readonly text: string
}

/** The quorum of each root names the next one, so a page that was away for years finds its way without trusting anybody. */
async function newestRoot(look: Look, anchor: string): Promise<NewestRoot> {
  let text = look.memory?.root ?? anchor
  let file = fileFrom('The root', text, RootSigned)
  await expectQuorum('The root', file, rootKeysOf(file.signed, 'root'))
  for (let step = 0; step < rootsMax; step += 1) {
    const version = file.signed.version + 1
    const next = await look.fetchFile(`${version}.root.json`, fileMaxBytes.root)
    if (next === undefined) break
    const name = `Version ${version} of the root`
    const nextFile = fileFrom(name, next, RootSigned)
    await expectQuorum(name, nextFile, rootKeysOf(file.signed, 'root'))
    await expectQuorum(name, nextFile, rootKeysOf(nextFile.signed, 'root'))
    if (nextFile.signed.version !== version) throw new NotBelieved('version-is-the-next', `${name} is another version.`)
    text = next
    file = nextFile
  }
  expectFresh('root', file.signed, look.at)
  return { file, text }
}

async function newestSnapshot(
  look: Look,
  root: Envelope<RootSigned>,
): Promise<{ timestamp: number; snapshot: SnapshotSigned }> {
  const timestamp = fileFrom(
    'The timestamp',
    await fetched(look, 'timestamp.json', fileMaxBytes.timestamp),
    TimestampSigned,
  )
  await expectQuorum('The timestamp', timestamp, rootKeysOf(root.signed, 'timestamp'))
  expectFresh('timestamp', timestamp.signed, look.at)
  const { version, length, hashes } = timestamp.signed.meta['snapshot.json']
  const text = await fetched(look, `${version}.snapshot.json`, fileMaxBytes.snapshot)
  if (utf8(text).length !== length || (await sha256HexOf(utf8(text))) !== hashes.sha256) {
    throw new NotBelieved('files-fit-together', 'The snapshot is not the one that the timestamp names.')
  }
  const snapshot = fileFrom('The snapshot', text, SnapshotSigned)
  await expectQuorum('The snapshot', snapshot, rootKeysOf(root.signed, 'snapshot'))
  expectFresh('snapshot', snapshot.signed, look.at)
  if (snapshot.signed.version !== version)
    throw new NotBelieved('files-fit-together', 'The snapshot has another version.')
  expectNothingOlder(look, root, timestamp.signed.version, snapshot.signed)
  return { timestamp: timestamp.signed.version, snapshot: snapshot.signed }
}

/** What the online keys say may be forgotten when the custodians replace them; what people signed is never unseen. */
function expectNothingOlder(
  { memory }: Look,
  root: Envelope<RootSigned>,
  timestamp: number,
  snapshot: SnapshotSigned,
): void {
  if (memory === undefined) return
  const before = fileFrom('The root of before', memory.root, RootSigned).signed
  const hasSameKeys = (['timestamp', 'snapshot'] as const).every(
    (role) => canonicalJson(before.roles[role]) === canonicalJson(root.signed.roles[role]),
  )
  if (hasSameKeys) {
    expectAtLeast('The timestamp', timestamp, memory.timestamp)
    expectAtLeast('The snapshot', snapshot.version, memory.snapshot)
  }
  const now = versionsIn(snapshot)
  for (const [role, version] of Object.entries(memory.roles)) {
    expectAtLeast(role, Object.hasOwn(now, role) ? (now[role] ?? 0) : 0, version)
  }
}

function expectAtLeast(name: string, version: number, seen: number): void {
  if (version >= seen) return
  const fact = `${name} is version ${version}; this page has seen version ${seen}.`
  throw new NotBelieved('nothing-goes-back', fact)
}

/** Reads role files from the custodians downwards, each with the keys of the one above it. */
function roleReader(look: Look, root: Envelope<RootSigned>, snapshot: SnapshotSigned) {
  const roles: Record<string, Envelope<RoleSigned>> = {}
  const contents: Record<string, string> = {}
  const repository: RepositoryDraft = { root, roles, counters: {} }

  async function read(role: string): Promise<void> {
    if (Object.hasOwn(roles, role)) return
    const delegator = delegatorOf(role)
    if (delegator !== undefined) {
      await read(delegator)
      expectDelegation(roles[delegator]?.signed, role)
    }
    const version = versionsIn(snapshot)[role]
    if (version === undefined) throw new NotBelieved('files-fit-together', `The snapshot does not name ${role}.`)
    const text = await fetched(look, `${version}.${role}.json`, fileMaxBytes.targets)
    const file = fileFrom<RoleSigned>(role, text, formOf(role))
    await expectQuorum(role, file, trustedKeysOf(repository, role))
    if (file.signed.version !== version) throw new NotBelieved('files-fit-together', `${role} has another version.`)
    // A listing role that has ended lets nothing out any more, but it is still what the next version follows.
    if ('delegations' in file.signed) expectFresh(role, file.signed, look.at)
    contents[role] = `${version}:${await sha256HexOf(utf8(canonicalJson(file.signed)))}`
    expectSameContent(look.memory?.contents[role], contents[role], role)
    roles[role] = file
  }
  return { repository, contents, read }
}

function expectSameContent(before: string | undefined, now: string, role: string): void {
  const version = (content: string) => content.split(':')[0]
  if (before === undefined || before === now || version(before) !== version(now)) return
  throw new NotBelieved('one-version-one-content', `Version ${version(now)} of ${role} had another content before.`)
}

/** Who vouches for a role below the root. Undefined for the custodians, for whom the root itself does. */
function delegatorOf(role: string): string | undefined {
  const name = roleNameFrom(role)
  if (name?.kind === 'targets') return undefined
  if (name?.kind === 'board') return 'targets'
  if (name !== undefined && 'board' in name) return name.board
  throw new NotBelieved('role-is-delegated', `${role} is no role that lists releases.`)
}

/** A delegation may give a role the paths that follow from its name, and no others. */
function expectDelegation(signed: RoleSigned | undefined, role: string): void {
  const found = delegationsOf(signed)?.roles.filter(({ name }) => name === role) ?? []
  const name = roleNameFrom(role)
  const isSound = found.length === 1 && name !== undefined && found[0]?.paths[0] === pathPatternOf(name)
  if (!isSound) throw new NotBelieved('role-is-delegated', `No board delegates ${role}, or not with its own paths.`)
}

function formOf(role: string) {
  const kind = roleNameFrom(role)?.kind
  if (kind === 'targets' || kind === 'board') return DelegatingSigned
  return kind === 'stop' ? StopsSigned : ReleasesSigned
}

function versionIn({ roles }: RepositoryDraft, role: string): VerifiedVersion {
  const signed = roles[role]?.signed
  return signed ? verifiedVersionOf(role, signed) : noVersion(role)
}

function versionsIn({ meta }: SnapshotSigned): Record<string, number> {
  return Object.fromEntries(
    Object.entries(meta).map(([name, { version }]) => [name.replace(/\.json$/, ''), version] as const),
  )
}

async function fetched({ fetchFile }: Look, name: string, maxBytes: number): Promise<string> {
  const text = await fetchFile(name, maxBytes)
  if (text === undefined) throw new NotBelieved('file-is-there', `The server has no ${name}.`)
  return text
}
