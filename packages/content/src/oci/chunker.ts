import { createHash, hash } from 'node:crypto'
import type { Chunk } from '@bascule/contract/estate/oci.ts'

/**
 * Content-defined chunks after FastCDC with normalised cut points: 16 KiB at least, 64 KiB on average, 256 KiB at
 * most. The same bytes give the same chunks on every machine for ever: the numbers below belong to the format name
 * `fastcdc-16k-64k-256k-v1` and never change under it.
 */
const minBytes = 16_384
const averageBytes = 65_536
const maxBytes = 262_144
/** Harder to meet before the average size (18 bits) than after it (14 bits). */
const strictMask = 0xff_ff_c0_00 | 0
const looseMask = 0xff_fc_00_00 | 0

const gear = gearTable()

export interface Chunker {
  update(bytes: Uint8Array): void
  finish(): Chunk[]
}

export function createChunker(): Chunker {
  const list: Chunk[] = []
  let offset = 0
  let length = 0
  let fingerprint = 0
  let digest = createHash('sha256')

  function cut(): void {
    list.push({ offset, sizeBytes: length, sha256: digest.digest('hex') })
    offset += length
    length = 0
    fingerprint = 0
    digest = createHash('sha256')
  }

  function update(bytes: Uint8Array): void {
    let from = 0
    for (let at = 0; at < bytes.length; at += 1) {
      length += 1
      // Below the minimum nothing is cut, so nothing has to be looked at either: Gear forgets after 32 bytes.
      if (length <= minBytes - 32) continue
      fingerprint = ((fingerprint << 1) + (gear[bytes[at] ?? 0] ?? 0)) | 0
      if (length < minBytes) continue
      const mask = length < averageBytes ? strictMask : looseMask
      if ((fingerprint & mask) !== 0 && length < maxBytes) continue
      digest.update(bytes.subarray(from, at + 1))
      from = at + 1
      cut()
    }
    if (from < bytes.length) digest.update(bytes.subarray(from))
  }

  function finish(): Chunk[] {
    if (length > 0) cut()
    return list
  }

  return { update, finish }
}

/** 256 fixed random numbers: the first four bytes of the SHA-256 of `bascule-gear-v1:<n>`. */
function gearTable(): Int32Array {
  return Int32Array.from({ length: 256 }, (_none, n) => hash('sha256', `bascule-gear-v1:${n}`, 'buffer').readInt32BE(0))
}
