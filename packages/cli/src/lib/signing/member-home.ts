import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { freshMemory, type SeenMemory } from '@bascule/trust/client/memory.ts'
import type { MetadataCache } from '@bascule/trust/client/tuf-client.ts'
import { canonicalise, canonicalJson } from '@bascule/trust/canonical.ts'
import { sha256Hex } from '@bascule/trust/keys.ts'
import * as z from 'zod'
import { LockedKey } from './locked-key.ts'
import { replaceFile } from './replace-file.ts'

/**
 * What a member keeps: keys that are theirs, and per server what they have verified of it themselves. Whoever signs
 * compares a draft with this and never with what the server says about itself.
 */
export interface MemberHome {
  readonly path: string
  readonly keys: () => readonly LockedKey[]
  /** Writes a new key. Throws when a key of this label is there. */
  readonly addKey: (key: LockedKey) => string
  readonly serverMemory: (server: string) => ServerMemory
}

/** The anchor of one server: `1.root.json`, and whether the member had its fingerprint from elsewhere. */
export interface Anchor {
  readonly bytes: Uint8Array
  readonly isFromFingerprint: boolean
}

export interface ServerMemory {
  readonly session: () => string | undefined
  readonly setSession: (cookie: string) => void
  readonly anchor: () => Anchor | undefined
  readonly setAnchor: (anchor: Anchor) => void
  /** Remembers the root of a ceremony that this person signed: its file needs nobody's word when it is published. */
  readonly rememberCeremony: (root: unknown) => void
  readonly isOfMyCeremony: (root: unknown) => boolean
  readonly seen: () => SeenMemory
  readonly setSeen: (seen: SeenMemory) => void
  readonly cache: MetadataCache
}

const Seen = z.strictObject({
  rootVersion: z.int().min(1),
  roles: z.record(z.string(), z.int().min(0)),
  snapshotVersion: z.int().min(0),
  timestampVersion: z.int().min(0),
  onlineKeys: z.string(),
  assignmentVersion: z.int().min(0),
  installed: z.record(z.string(), z.object({ counter: z.int(), release: z.string() })),
  notBefore: z.string(),
})

/** The home of whoever calls: BASCULE_HOME, else `~/.bascule`. */
export function openMemberHome(environment: NodeJS.ProcessEnv): MemberHome {
  const path = environment['BASCULE_HOME'] ?? join(homedir(), '.bascule')
  const keyFolder = join(path, 'keys')
  return {
    path,
    keys: () => {
      const names = existsSync(keyFolder) ? readdirSync(keyFolder).filter((name) => name.endsWith('.json')) : []
      return names.sort().map((name) => readKey(join(keyFolder, name)))
    },
    addKey: (key) => {
      const file = join(keyFolder, `${fileNameOf(key.label)}.json`)
      if (existsSync(file)) throw new Error(`There is a key in ${file} already; choose another --label.`)
      replaceFile(file, `${JSON.stringify(key, undefined, 2)}\n`)
      return file
    },
    serverMemory: (server) => openServerMemory(path, server),
  }
}

function openServerMemory(home: string, server: string): ServerMemory {
  const { host } = new URL(server)
  // The host alone would put two servers behind one name on different paths together; the hash keeps them apart.
  const hash = createHash('sha256').update(server).digest('hex').slice(0, 12)
  const folder = join(home, 'servers', `${fileNameOf(host)}-${hash}`)
  const file = (name: string): string => join(folder, name)
  const read = (name: string): Buffer | undefined => (existsSync(file(name)) ? readFileSync(file(name)) : undefined)
  const anchorNames = { known: 'anchor-by-fingerprint.json', taken: 'anchor-on-first-use.json' } as const
  return {
    session: () => read('session')?.toString('utf8'),
    setSession: (cookie) => replaceFile(file('session'), cookie),
    anchor: () => {
      const known = read(anchorNames.known)
      const bytes = known ?? read(anchorNames.taken)
      return bytes && { bytes, isFromFingerprint: known !== undefined }
    },
    setAnchor: ({ bytes, isFromFingerprint }) =>
      replaceFile(file(isFromFingerprint ? anchorNames.known : anchorNames.taken), bytes),
    rememberCeremony: (root) => replaceFile(file('ceremony-root.txt'), sha256Hex(canonicalJson(root))),
    isOfMyCeremony: (root) => {
      const text = canonicalise(root)
      return text.ok && read('ceremony-root.txt')?.toString('utf8') === sha256Hex(text.value)
    },
    seen: () => seenFrom(read('seen.json'), file('seen.json')),
    setSeen: (seen) => replaceFile(file('seen.json'), JSON.stringify(seen)),
    cache: {
      read: (name) => read(join('metadata', name)),
      write: (name, bytes) => {
        mkdirSync(join(folder, 'metadata'), { recursive: true, mode: 0o700 })
        replaceFile(join(folder, 'metadata', name), bytes)
      },
    },
  }
}

/** A memory that cannot be read is not forgotten by the way: forgetting is what somebody who goes back in time wants. */
function seenFrom(bytes: Buffer | undefined, path: string): SeenMemory {
  if (bytes === undefined) return freshMemory(Temporal.Instant.fromEpochMilliseconds(0))
  try {
    return Seen.parse(JSON.parse(bytes.toString('utf8')))
  } catch (cause) {
    throw new Error(`Reading ${path}, what you have verified of this server: it is damaged`, { cause })
  }
}

function readKey(path: string): LockedKey {
  try {
    return LockedKey.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (cause) {
    throw new Error(`Reading the key ${path}: it is damaged or of another form`, { cause })
  }
}

function fileNameOf(text: string): string {
  return text.toLowerCase().replaceAll(/[^a-z0-9.-]+/g, '-')
}
