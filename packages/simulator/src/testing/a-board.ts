import { signDocument } from '@bascule/trust/envelope.ts'
import { type KeyPair, keyPairFromSeed } from '@bascule/trust/keys.ts'
import { buildBoard, buildReleases, buildRoot, buildStops, buildTargets } from '@bascule/trust/tuf/build.ts'
import type { ReleaseTarget } from '@bascule/trust/tuf/documents.ts'
import { type Documents, publish } from '@bascule/trust/tuf/publish.ts'
import { emptyRepository, type RepositoryDraft } from '@bascule/trust/tuf/repository-state.ts'

interface Wanted {
  readonly line: string
  readonly path: string
  readonly target: ReleaseTarget
  readonly director: KeyPair
  readonly at: Temporal.Instant
}

const [custodian, member, snapshot, timestamp] = [1, 2, 3, 4].map((seed) =>
  keyPairFromSeed(new Uint8Array(32).fill(seed)),
) as [KeyPair, KeyPair, KeyPair, KeyPair]

/** A signed repository with one board of one member, for one release of one line. */
export function aBoard({ line, path, target, director, at }: Wanted) {
  const files = new Map<string, string>()
  let state: RepositoryDraft = emptyRepository
  let version = 0

  function put(documents: Documents): void {
    const published = publish(state, documents, { online: { snapshot: [snapshot], timestamp: [timestamp] }, at })
    if (!published.ok) throw new Error(JSON.stringify(published.error))
    state = published.value.state
    for (const { name, bytes } of published.value.files) files.set(name, Buffer.from(bytes).toString('utf8'))
  }

  return {
    timestampVersion: () => state.timestamp?.signed.version ?? 0,
    /** Answers all files by name. */
    publish(isListed: boolean): ReadonlyMap<string, string> {
      version += 1
      const releases = buildReleases('line', { version, at }, isListed ? { [path]: target } : {})
      const own = { [`web.${line}`]: signDocument(releases, [member]) }
      put(version === 1 ? { ...own, ...foundingDocuments(line, director, at) } : own)
      return files
    },
  }
}

function foundingDocuments(line: string, director: KeyPair, at: Temporal.Instant): Documents {
  const issue = { version: 1, at }
  const only = ({ publicKey }: KeyPair) => ({ publicKeys: [publicKey], threshold: 1 })
  const [people, members] = [only(custodian), only(member)]
  const root = buildRoot(issue, { root: people, targets: people, snapshot: only(snapshot), timestamp: only(timestamp) })
  const roles = { [`web.${line}`]: members, 'web.emergency': members, 'web.stop': members }
  return {
    root: signDocument(root, [custodian]),
    targets: signDocument(buildTargets(issue, { director: only(director), boards: { web: members } }), [custodian]),
    web: signDocument(buildBoard(issue, roles), [member]),
    'web.emergency': signDocument(buildReleases('emergency', issue, {}), [member]),
    'web.stop': signDocument(buildStops(issue, {}), [member]),
  }
}
