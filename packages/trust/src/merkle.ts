import { hash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type { InclusionProof } from '@bascule/contract/device/protocol.ts'

/**
 * Merkle tree over the device key ids of a frozen audience, with the hashing of RFC 6962: a leaf is hashed behind a
 * zero byte and a node behind a one, so a node can never pass for a leaf. The root stands in what the board signs;
 * the proof tells a device, without trust in the server, that it belongs to the audience.
 */
export interface AudienceTree {
  /** 64 hex characters. */
  readonly root: string
  readonly size: number
  /** The proof of a member; undefined for a device that is not in the audience. */
  readonly proofOf: (deviceId: string) => InclusionProof | undefined
}

/** Builds the tree of an audience in any order; a device named twice counts once. A million takes seconds, once. */
export function buildAudienceTree(deviceIds: Iterable<string>): AudienceTree {
  return atOnce(buildInSlices(deviceIds))
}

/** The same tree, built a few milliseconds at a time, for a process that has to answer others meanwhile. */
export async function growAudienceTree(deviceIds: Iterable<string>): Promise<AudienceTree> {
  const building = buildInSlices(deviceIds)
  for (let turn = performance.now(); ;) {
    const { done, value } = building.next()
    if (done === true) return value
    if (performance.now() - turn < turnMs) continue
    await setImmediate()
    turn = performance.now()
  }
}

const turnMs = 4
/** So many devices or nodes are handled before the work may pause: well below a millisecond. */
const sliceSize = 256

function atOnce<T>(building: Generator<void, T>): T {
  for (;;) {
    const { done, value } = building.next()
    if (done === true) return value
  }
}

function* buildInSlices(deviceIds: Iterable<string>): Generator<void, AudienceTree> {
  const sorted = yield* sortInSlices(deviceIds)
  const leaves = Buffer.allocUnsafe(sorted.length * hashBytes)
  for (const [index, id] of sorted.entries()) {
    leafHash(Buffer.from(id, 'hex')).copy(leaves, index * hashBytes)
    if (index % sliceSize === 0) yield
  }
  const levels = yield* levelsInSlices(leaves)
  return {
    root: rootOf(levels),
    size: sorted.length,
    proofOf: (deviceId) => {
      const index = indexIn(sorted, deviceId)
      return index === undefined ? undefined : { index, size: sorted.length, path: pathOf(levels, index) }
    },
  }
}

/** Each id once, in order. Sorted by their beginnings first, because sorting all at once cannot pause. */
function* sortInSlices(ids: Iterable<string>): Generator<void, string[]> {
  const byBeginning = new Map<string, Set<string>>()
  let seen = 0
  for (const id of ids) {
    const beginning = id.slice(0, 3)
    const alike = byBeginning.get(beginning)
    if (alike === undefined) byBeginning.set(beginning, new Set([id]))
    else alike.add(id)
    seen += 1
    if (seen % sliceSize === 0) yield
  }
  const sorted: string[] = []
  for (const beginning of [...byBeginning.keys()].sort()) {
    for (const id of [...(byBeginning.get(beginning) ?? [])].sort()) sorted.push(id)
    yield
  }
  return sorted
}

/** Whether the proof leads from the device to the root of the audience. */
export function isInAudience(deviceId: string, proof: InclusionProof, root: string): boolean {
  if (!/^[0-9a-f]{64}$/.test(deviceId)) return false
  return rootFromProof(leafHash(Buffer.from(deviceId, 'hex')), proof) === root
}

/** Root over any leaves, as RFC 6962 defines it. */
export function merkleRoot(leaves: readonly Uint8Array[]): string {
  return rootOf(atOnce(levelsInSlices(Buffer.concat(leaves.map(leafHash)))))
}

const hashBytes = 32

function leafHash(leaf: Uint8Array): Buffer {
  const input = Buffer.allocUnsafe(leaf.length + 1)
  input[0] = 0
  input.set(leaf, 1)
  return hash('sha256', input, 'buffer')
}

function nodeHash(pair: Uint8Array, scratch: Buffer): Buffer {
  scratch[0] = 1
  scratch.set(pair, 1)
  return hash('sha256', scratch, 'buffer')
}

/** Level 0 holds the leaves; a node without a sibling rises unchanged, which gives the tree shape of RFC 6962. */
function* levelsInSlices(leaves: Buffer): Generator<void, Buffer[]> {
  const levels = [leaves]
  for (let level = leaves; level.length > hashBytes;) {
    level = yield* parentsInSlices(level)
    levels.push(level)
  }
  return levels
}

function* parentsInSlices(level: Buffer): Generator<void, Buffer> {
  const scratch = Buffer.allocUnsafe(1 + 2 * hashBytes)
  const count = level.length / hashBytes
  const parents = Buffer.allocUnsafe(Math.ceil(count / 2) * hashBytes)
  for (let node = 0; node + 1 < count; node += 2) {
    const at = node * hashBytes
    nodeHash(level.subarray(at, at + 2 * hashBytes), scratch).copy(parents, at / 2)
    if (node % sliceSize === 0) yield
  }
  if (count % 2 === 1) level.copy(parents, parents.length - hashBytes, level.length - hashBytes)
  return parents
}

function rootOf(levels: readonly Buffer[]): string {
  const top = levels.at(-1)
  return top === undefined || top.length === 0 ? hash('sha256', '', 'hex') : top.toString('hex')
}

function pathOf(levels: readonly Buffer[], leaf: number): string[] {
  const path: string[] = []
  let index = leaf
  for (const level of levels.slice(0, -1)) {
    const sibling = index ^ 1
    const at = sibling * hashBytes
    if (at < level.length) path.push(level.toString('hex', at, at + hashBytes))
    index >>>= 1
  }
  return path
}

/** Walks from leaf to root; undefined when the path has another length than index and size call for. */
function rootFromProof(leaf: Buffer, { index, size, path }: InclusionProof): string | undefined {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return undefined
  const scratch = Buffer.allocUnsafe(1 + 2 * hashBytes)
  const rest = path.map((text) => Buffer.from(text, 'hex')).values()
  let node = leaf
  for (let at = index, last = size - 1; last > 0; at = Math.floor(at / 2), last = Math.floor(last / 2)) {
    if (at === last && at % 2 === 0) continue
    const sibling = rest.next().value
    if (sibling?.length !== hashBytes) return undefined
    node = nodeHash(Buffer.concat(at % 2 === 1 ? [sibling, node] : [node, sibling]), scratch)
  }
  return rest.next().done === true ? node.toString('hex') : undefined
}

function indexIn(sorted: readonly string[], id: string): number | undefined {
  let low = 0
  let high = sorted.length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const found = sorted[middle] ?? ''
    if (found === id) return middle
    if (found < id) low = middle + 1
    else high = middle - 1
  }
  return undefined
}
