import { createHash } from 'node:crypto'

/** One row of the ledger in the words that are hashed. `before` and `after` are the database's own text of the JSON. */
export interface LedgerLine {
  readonly id: number
  readonly at: string
  readonly actorKind: string
  readonly actorId: string
  readonly actorName: string
  readonly did: string
  readonly subjectKind: string
  readonly subjectId: string
  readonly releaseId: string | null
  readonly before: string | null
  readonly after: string | null
}

// Leaves, nodes and seals are hashed with different first bytes, so that none can be passed off as another (RFC 6962).
const leafPrefix = Buffer.of(0)
const nodePrefix = Buffer.of(1)
const sealPrefix = Buffer.of(2)

export function leafHash(line: LedgerLine): Buffer {
  const words = [
    line.id,
    line.at,
    line.actorKind,
    line.actorId,
    line.actorName,
    line.did,
    line.subjectKind,
    line.subjectId,
    line.releaseId,
    line.before,
    line.after,
  ]
  return sha256(leafPrefix, Buffer.from(JSON.stringify(words)))
}

/** The Merkle root over these leaves; a node without a sibling goes up unchanged. There is no root over nothing. */
export function merkleRoot(leaves: readonly Buffer[]): Buffer {
  const [only, ...others] = leaves
  if (only === undefined) throw new Error('A seal covers one row at least')
  if (others.length === 0) return only
  const parents: Buffer[] = []
  for (let at = 0; at < leaves.length; at += 2) {
    const [left, right] = leaves.slice(at, at + 2)
    if (left !== undefined) parents.push(right === undefined ? left : sha256(nodePrefix, left, right))
  }
  return merkleRoot(parents)
}

/** What chains the seals: each covers its root, its place in the chain and the seal before. */
export function sealHash(seal: { id: number; sealedAt: string; root: Buffer; previous: Buffer }): Buffer {
  return sha256(sealPrefix, Buffer.from(`${seal.id} ${seal.sealedAt} `), seal.previous, seal.root)
}

/** What stands where the first seal has no seal before it. */
export const noSeal = Buffer.alloc(32)

function sha256(...parts: readonly Buffer[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}
