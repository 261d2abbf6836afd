import type { TufKey } from '@bascule/contract/device/protocol.ts'
import { canonicalJson } from './canonical.ts'
import { plainSha256Hex } from './plain-sha256.ts'

/** The TUF key object of a raw public key. */
export function tufKeyOf(publicKey: string): TufKey {
  return { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: publicKey } }
}

/** Name of a key: always computed from the key, never believed from a document. */
export function keyIdOf(publicKey: string): string {
  const known = knownIds.get(publicKey)
  if (known !== undefined) return known
  const id = plainSha256Hex(canonicalJson(tufKeyOf(publicKey)))
  if (knownIds.size >= knownIdsMax) for (const oldest of knownIds.keys()) if (knownIds.delete(oldest)) break
  knownIds.set(publicKey, id)
  return id
}

/** Ids that were computed before: a server names the same keys at every request. Bounded; the oldest goes first. */
const knownIds = new Map<string, string>()
const knownIdsMax = 10_000
