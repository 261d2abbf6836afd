import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '@bascule/domain/lib/clock.ts'
import { type Result, ok } from '@bascule/domain/lib/result.ts'
import { expiryFrom } from '@bascule/trust/envelope.ts'
import { loadOrCreateKeyFile } from '@bascule/trust/key-file.ts'
import { type KeyPair, generateKeyPair, sha256Hex } from '@bascule/trust/keys.ts'
import {
  type Documents,
  type OnlineKeys,
  type Publication,
  type PublishOptions,
  publish,
  renewTimestamp,
} from '@bascule/trust/tuf/publish.ts'
import type { PublishRefusal } from '@bascule/trust/tuf/publish-checks.ts'
import type { RepositoryDraft, RepositoryState } from '@bascule/trust/tuf/repository-state.ts'
import type { SignerLog } from '../signer-log.ts'
import { filesOf, gather, isBehind, missingOf, textsOf } from './recovery.ts'
import { type RepositoryFile, namesForNewcomers, openRepositoryFiles } from './repository-files.ts'

/** Highest versions that devices have seen: after a restore of an old backup the next ones must be above them. */
export type SeenVersions = NonNullable<PublishOptions['seen']>

/** What the release boards have signed, with the two online keys that say what of it is new. */
export interface Repository {
  readonly onlineKeys: { readonly snapshot: KeyPair; readonly timestamp: KeyPair }
  readonly state: RepositoryDraft
  /**
   * Publishes what people signed, after judging all of it again. Answers the new files; nothing changed with a refusal.
   * The very same documents may be asked for again, because an answer can get lost. Throws `LogUnwritable` when nothing
   * could be recorded: then nothing was published.
   */
  publish(documents: Documents, seen?: SeenVersions): Result<readonly RepositoryFile[], PublishRefusal>
  /**
   * Takes files that devices have kept, after this folder came back from a backup. When nothing is missing any more they
   * are published again, under versions above everything that devices have seen. What is forged or known changes nothing.
   */
  recover(files: Readonly<Record<string, string>>): Result<Recovered, PublishRefusal>
  /** Renews what is old enough: the snapshot after a day, the timestamp after an hour. Answers the new files. */
  renew(): Result<readonly RepositoryFile[], PublishRefusal>
  /** Everything that a device without any metadata needs; empty before the first ceremony. */
  filesForNewcomers(): readonly RepositoryFile[]
}

/** The files that are published now because of it, and the roles of which devices have seen a version that nobody returned. */
export interface Recovered {
  readonly files: readonly RepositoryFile[]
  readonly missing: readonly string[]
}

const snapshotAge = Temporal.Duration.from({ hours: 24 })
const timestampAge = Temporal.Duration.from({ hours: 1 })

/** Opens the metadata in the signer's folder, and makes the online keys at the first start. */
export function openRepository(folder: string, log: Pick<SignerLog, 'append'>, clock: Clock): Repository {
  const onlineKeys = {
    snapshot: loadOrCreateKeyFile(join(folder, 'snapshot.pem'), generateKeyPair),
    timestamp: loadOrCreateKeyFile(join(folder, 'timestamp.pem'), generateKeyPair),
  }
  const online: OnlineKeys = { snapshot: [onlineKeys.snapshot], timestamp: [onlineKeys.timestamp] }
  const files = openRepositoryFiles(join(folder, 'repository'))
  let kept: Readonly<Record<string, string>> = {}

  /** Recorded durably, then written, then handed out: no signature leaves of which the record does not know. */
  function commit(
    publication: Result<Publication, PublishRefusal>,
    at: Temporal.Instant,
  ): Result<readonly RepositoryFile[], PublishRefusal> {
    if (!publication.ok) return publication
    const written = publication.value.files
    log.append({ kind: 'published', files: written.map(({ name, bytes }) => [name, sha256Hex(bytes)] as const) }, at)
    files.write(publication.value)
    return ok(written.map(({ name, bytes }) => ({ name, text: Buffer.from(bytes).toString('utf8') })))
  }

  function filesForNewcomers(): readonly RepositoryFile[] {
    const { state } = files
    if (!isWhole(state)) return []
    return namesForNewcomers(state).flatMap((name) => {
      const text = files.read(name)
      return text === undefined ? [] : [{ name, text }]
    })
  }

  return {
    onlineKeys,
    get state() {
      return files.state
    },
    publish(documents, seen) {
      const at = clock.now()
      if (isPublished(files.state, documents)) return ok(filesForNewcomers())
      return commit(publish(files.state, documents, { online, at, ...(seen ? { seen } : {}) }), at)
    },
    recover(returned) {
      const at = clock.now()
      // Judged anew each time: what was published meanwhile is the ground on which all of it stands.
      const gathered = gather(gather({ draft: files.state, documents: [] }, kept, onlineKeys), returned, onlineKeys)
      kept = isBehind(gathered) ? textsOf(gathered) : {}
      if (!isBehind(gathered)) return ok({ files: [], missing: [] })
      const missing = missingOf(gathered)
      if (missing.length > 0) return ok({ files: [], missing })
      const seen = { snapshot: gathered.snapshot?.signed.version, timestamp: gathered.timestamp?.signed.version }
      const published = publish(gathered.draft, {}, { online, at, seen })
      if (!published.ok) return published
      const written = commit(ok({ ...published.value, files: [...filesOf(gathered), ...published.value.files] }), at)
      kept = {}
      return written.ok ? ok({ files: written.value, missing: [] }) : written
    },
    renew() {
      const at = clock.now()
      const { state } = files
      if (!isWhole(state)) return ok([])
      if (isOlder(state.snapshot.signed['x-issued'], snapshotAge, at))
        return commit(publish(state, {}, { online, at }), at)
      if (isOlder(state.timestamp.signed['x-issued'], timestampAge, at))
        return commit(renewTimestamp(state, { online, at }), at)
      return ok([])
    },
    filesForNewcomers,
  }
}

/** Whether exactly these documents are what is published now. */
function isPublished(state: RepositoryDraft, documents: Documents): boolean {
  const all = Object.entries(documents)
  const present = (role: string) =>
    role === 'root' ? state.root : Object.hasOwn(state.roles, role) && state.roles[role]
  return all.length > 0 && all.every(([role, document]) => isDeepStrictEqual(present(role), document))
}

function isWhole(state: RepositoryDraft): state is RepositoryState {
  return state.root !== undefined && state.snapshot !== undefined && state.timestamp !== undefined
}

function isOlder(issued: string, age: Temporal.Duration, at: Temporal.Instant): boolean {
  const issuedAt = expiryFrom(issued)
  return issuedAt === undefined || Temporal.Instant.compare(issuedAt.add(age), at) <= 0
}
