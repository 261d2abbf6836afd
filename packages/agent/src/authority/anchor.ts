import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { sha256Hex } from '@bascule/trust/keys.ts'
import { putFile } from '#/durable.ts'

/** How a device came to its first root: with a fingerprint from a person, or as the server gave it. */
export type AnchorKind = 'fingerprint' | 'first-use'

/** The root that everything rests on. The hash is the pin; the bytes may be brought again from anywhere. */
export interface Anchor {
  readonly sha256: string
  readonly kind: AnchorKind
}

export const anchorFileName = '1.root.json'

/** The server gave another root than the one whose fingerprint a person gave; said in one sentence. */
export class WrongRoot extends Error {
  constructor(expected: string, found: string) {
    super(
      `The root of the release boards has the fingerprint ${found}, not ${expected}: this is another server than meant, or somebody stands between.`,
    )
  }
}

/** What a first root is worth to this device. Throws `WrongRoot` when a person named another one. */
export function anchorFrom(bytes: Uint8Array, demandedSha256: string | undefined): Anchor {
  const sha256 = sha256Hex(bytes)
  if (demandedSha256 !== undefined && demandedSha256 !== sha256) throw new WrongRoot(demandedSha256, sha256)
  return { sha256, kind: demandedSha256 === undefined ? 'first-use' : 'fingerprint' }
}

export function storeAnchor(data: string, bytes: Uint8Array): void {
  putFile(path.join(data, anchorFileName), bytes, 0o600)
}

/** The bytes that belong to the pin; null when they are lost or are others. */
export function readAnchor(data: string, { sha256 }: Anchor): Uint8Array | null {
  const file = path.join(data, anchorFileName)
  if (!existsSync(file)) return null
  const bytes = readFileSync(file)
  return sha256Hex(bytes) === sha256 ? bytes : null
}

/** In the words of the log and of the status. */
export function sayAnchor(identity: { readonly root?: Anchor; readonly demandedRootSha256?: string } | null): string {
  const root = identity?.root
  if (root?.kind === 'fingerprint')
    return `Trusts the release boards under the root ${root.sha256}, by its fingerprint.`
  if (root) return `Trusts the release boards under the root ${root.sha256}, on first use: nobody gave its fingerprint.`
  const demanded = identity?.demandedRootSha256
  return demanded === undefined
    ? 'Has no root of release boards yet; it takes the one that its server has at the first job.'
    : `Has no root of release boards yet; it takes none but ${demanded}.`
}
