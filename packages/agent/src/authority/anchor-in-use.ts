import path from 'node:path'
import type { MetadataCache } from '@bascule/trust/client/tuf-client.ts'
import type { MetadataSource } from '@bascule/trust/client/refresh-authority.ts'
import { type AuthorityRefusal, refusalFrom } from '@bascule/trust/client/refusal.ts'
import { sha256Hex } from '@bascule/trust/keys.ts'
import { fileMaxBytes } from '@bascule/trust/tuf/documents.ts'
import { putFile } from '#/durable.ts'
import type { Journal } from '#/journal/journal.ts'
import type { Identity, JournalRecord } from '#/journal/state.ts'
import { anchorFileName, anchorFrom, readAnchor, storeAnchor, WrongRoot } from './anchor.ts'

/** The first root as it is used now, and what is still to be stored when it has proved good. */
export interface AnchorInUse {
  readonly bytes: Uint8Array
  readonly sha256: string
  readonly cache: MetadataCache
  readonly settle: () => Omit<JournalRecord & { t: 'identity' }, 'epoch'> | null
}

interface Place {
  readonly data: string
  readonly journal: Journal
  readonly cache: MetadataCache
}

export const identityFileName = 'identity.json'

/** The root from the disk; when it is lost the pinned one from anywhere; and before there is a pin the server's. */
export async function anchorInUse(
  place: Place,
  sources: readonly MetadataSource[],
): Promise<AnchorInUse | AuthorityRefusal> {
  const { identity } = place.journal.state
  if (!identity) return missing('This device is not enrolled.')
  if (identity.root) return await pinnedRoot(place, identity.root.sha256, sources)
  return await firstRoot(place, identity, sources)
}

async function pinnedRoot(
  { data, cache }: Place,
  sha256: string,
  sources: readonly MetadataSource[],
): Promise<AnchorInUse | AuthorityRefusal> {
  const kept = readAnchor(data, { sha256, kind: 'fingerprint' })
  if (kept) return { bytes: kept, sha256, cache, settle: () => null }
  for (const source of sources) {
    const bytes = await fetchRoot(source)
    if (!bytes || sha256Hex(bytes) !== sha256) continue
    storeAnchor(data, bytes)
    return { bytes, sha256, cache, settle: () => null }
  }
  return missing('The root that this device was enrolled with is damaged on its disk, and no source has it.')
}

/** Only the server itself is asked: a relay is chosen for its bytes, and nobody could say yet that they are wrong. */
async function firstRoot(
  place: Place,
  identity: Identity,
  sources: readonly MetadataSource[],
): Promise<AnchorInUse | AuthorityRefusal> {
  const server = sources.at(-1)
  const bytes = server && (await fetchRoot(server))
  if (!bytes) return missing('The server has no root of release boards yet, or does not answer.')
  try {
    const root = anchorFrom(bytes, identity.demandedRootSha256)
    // Until everything below it has been verified nothing of it touches the disk.
    const files = new Map<string, Uint8Array>()
    const cache: MetadataCache = {
      read: (name) => files.get(name),
      write: (name, content) => void files.set(name, content),
    }
    const settle = () => {
      for (const [name, content] of files) place.cache.write(name, content)
      const next: Identity = { ...identity, root }
      storeAnchor(place.data, bytes)
      storeIdentityCopy(place.data, next)
      return { t: 'identity' as const, identity: next }
    }
    return { bytes, sha256: root.sha256, cache, settle }
  } catch (error) {
    if (!(error instanceof WrongRoot)) throw error
    return refusalFrom('root-is-the-anchor', { code: 'ROOT', fact: error.message })
  }
}

/** The copy beside the journal is only read when the journal is lost. */
export function storeIdentityCopy(data: string, identity: Identity): void {
  putFile(path.join(data, identityFileName), Buffer.from(JSON.stringify(identity)), 0o600)
}

async function fetchRoot(source: MetadataSource): Promise<Uint8Array | undefined> {
  try {
    const bytes = await source.fetchMetadata(anchorFileName, fileMaxBytes.root)
    return bytes && bytes.length <= fileMaxBytes.root ? bytes : undefined
  } catch {
    // A source that does not answer is passed over; when none does, the refusal says so.
    return undefined
  }
}

function missing(fact: string): AuthorityRefusal {
  return refusalFrom('some-source-answers', { code: 'UNAVAILABLE', fact })
}
