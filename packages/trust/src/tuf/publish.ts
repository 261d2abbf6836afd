import { type Result, ok, refuse } from '@bascule/domain/lib/result.ts'
import { type Envelope, signDocument } from '#/envelope.ts'
import type { KeyPair } from '#/keys.ts'
import { signersOf } from './attach-signature.ts'
import { buildSnapshot, buildTimestamp } from './build.ts'
import {
  type RoleMeta,
  type RoleSigned,
  type RootSigned,
  Signatures,
  type SnapshotSigned,
  type TimestampSigned,
  fileBytesOf,
} from './documents.ts'
import { formChecks, publishableRole } from './document-soundness.ts'
import { type PublishRefusal, documentChecks } from './publish-checks.ts'
import { repositoryChecks } from './repository-checks.ts'
import { type RepositoryDraft, type RepositoryState, releasesOf, rootKeysOf } from './repository-state.ts'

/** The keys that the signer holds itself. */
export interface OnlineKeys {
  readonly snapshot: readonly KeyPair[]
  readonly timestamp: readonly KeyPair[]
}

/** Files to write, in this order: the timestamp last, so that a reader never finds what is not there yet. */
export interface Publication {
  readonly state: RepositoryState
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> }[]
}

/** Signed documents by role name. */
export type Documents = Readonly<Record<string, Envelope<RoleSigned | RootSigned>>>

export interface PublishOptions {
  readonly online: OnlineKeys
  readonly at: Temporal.Instant
  /** After a restore of an old backup: versions that devices have seen already. */
  readonly seen?: { readonly snapshot?: number | undefined; readonly timestamp?: number | undefined }
}

/**
 * Publishes documents that people signed, several at once where one needs the other (a leaver: first the role files,
 * then the board). Everything is checked again here, whatever the server checked before; a new snapshot and a new
 * timestamp list exactly what was verified. Without documents it renews the snapshot.
 */
export function publish(
  repository: RepositoryDraft,
  documents: Documents,
  options: PublishOptions,
): Result<Publication, PublishRefusal> {
  const misformed = problemOfForms(documents)
  if (misformed) return refuse(misformed)
  const next = nextOf(repository, documents)
  const problem = problemOfDocuments(repository, next, documents, options.at) ?? problemOfRepository(next)
  if (problem) return refuse(problem)
  if (!next.root) return refuse(noRoot)
  const files = Object.entries(documents).map(([role, document]) => ({
    name: `${document.signed.version}.${role}.json`,
    bytes: fileBytesOf(document),
  }))
  return signOnline({ ...next, root: next.root }, files, options)
}

/** A new timestamp for the snapshot that is there: hourly, and the only thing an idle repository needs often. */
export function renewTimestamp(state: RepositoryState, options: PublishOptions): Result<Publication, PublishRefusal> {
  const timestamp = timestampFor(state, state.snapshot, options)
  const problem = problemOfOnline(state.root.signed, 'timestamp', timestamp)
  return problem ? refuse(problem) : ok({ state: { ...state, timestamp }, files: [timestampFile(timestamp)] })
}

/** Whether a repository is sound as it stands: what a signer asks of the files it finds when it starts. */
export function problemOfRepository(next: RepositoryDraft): PublishRefusal | undefined {
  for (const { check } of repositoryChecks) {
    const problem = check(next, signersOf)
    if (problem) return problem
  }
  return undefined
}

const noRoot: PublishRefusal = {
  rule: 'root-is-there',
  fact: 'The repository has no root.',
  lifter: 'The custodians',
  next: 'Hold the first ceremony.',
}

function nextOf(repository: RepositoryDraft, documents: Documents): RepositoryDraft {
  const { root, ...roles } = documents as Record<string, Envelope<RoleSigned>> & { root?: Envelope<RootSigned> }
  const counters = { ...repository.counters }
  for (const { at, target } of releasesOf(roles)) {
    const line = `${at.board}/${at.line}`
    counters[line] = Math.max(counters[line] ?? 0, target.custom.counter)
  }
  return { ...repository, ...(root ? { root } : {}), roles: { ...repository.roles, ...roles }, counters }
}

function problemOfForms(documents: Documents): PublishRefusal | undefined {
  for (const [role, document] of Object.entries(documents)) {
    const name = publishableRole(role)
    if ('rule' in name) return name
    if (!Signatures.safeParse(document.signatures).success) return badSignatures(role)
    for (const { check } of formChecks) {
      const problem = check({ role, name, document })
      if (problem) return problem
    }
  }
  return undefined
}

function problemOfDocuments(
  repository: RepositoryDraft,
  next: RepositoryDraft,
  documents: Documents,
  at: Temporal.Instant,
): PublishRefusal | undefined {
  for (const [role, document] of Object.entries(documents)) {
    const name = publishableRole(role)
    if ('rule' in name) return name
    const before = role === 'root' ? repository.root : repository.roles[role]
    for (const { check } of documentChecks) {
      const problem = check({ role, name, document, before, repository, next, at })
      if (problem) return problem
    }
  }
  return undefined
}

function badSignatures(role: string): PublishRefusal {
  return {
    rule: 'role-has-a-form',
    fact: `The signatures of ${role} are not of the agreed form.`,
    lifter: 'Whoever made the draft',
    next: 'Collect the signatures again.',
  }
}

function signOnline(
  next: RepositoryDraft & Pick<RepositoryState, 'root'>,
  files: Publication['files'],
  options: PublishOptions,
): Result<Publication, PublishRefusal> {
  const version = Math.max(next.snapshot?.signed.version ?? 0, options.seen?.snapshot ?? 0) + 1
  const meta = Object.fromEntries(Object.entries(next.roles).map(([role, document]) => [role, metaOf(document)]))
  const snapshot = signDocument(buildSnapshot({ version, at: options.at }, meta), options.online.snapshot)
  const timestamp = timestampFor(next, snapshot, options)
  const problem =
    problemOfOnline(next.root.signed, 'snapshot', snapshot) ?? problemOfOnline(next.root.signed, 'timestamp', timestamp)
  if (problem) return refuse(problem)
  const snapshotFile = { name: `${version}.snapshot.json`, bytes: fileBytesOf(snapshot) }
  return ok({
    state: { ...next, snapshot, timestamp },
    files: [...files, snapshotFile, timestampFile(timestamp)],
  })
}

function timestampFor(
  before: RepositoryDraft,
  snapshot: Envelope<SnapshotSigned>,
  { online, at, seen }: PublishOptions,
): Envelope<TimestampSigned> {
  const version = Math.max(before.timestamp?.signed.version ?? 0, seen?.timestamp ?? 0) + 1
  const signed = buildTimestamp({ version, at }, snapshot.signed.version, fileBytesOf(snapshot))
  return signDocument(signed, online.timestamp)
}

function metaOf(document: Envelope<RoleSigned>): RoleMeta {
  return { version: document.signed.version, length: fileBytesOf(document).length }
}

function timestampFile(timestamp: Envelope<TimestampSigned>) {
  return { name: 'timestamp.json', bytes: fileBytesOf(timestamp) }
}

function problemOfOnline(
  root: RootSigned,
  role: 'snapshot' | 'timestamp',
  document: Envelope<unknown>,
): PublishRefusal | undefined {
  const trusted = rootKeysOf(root, role)
  const have = trusted ? signersOf(document, trusted).length : 0
  if (trusted && have >= trusted.threshold) return undefined
  return {
    rule: 'online-keys-are-named-by-the-root',
    fact: `This signer has ${have} of the ${trusted?.threshold ?? 1} keys that the root names for ${role}.`,
    lifter: 'The custodians',
    next: 'Give the signer its keys, or name its keys in a new root.',
  }
}
