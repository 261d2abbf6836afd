import { createHash, hash } from 'node:crypto'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createChunker } from './chunker.ts'
import { createPieceHasher } from './piece-hasher.ts'

/** Bytes that look random and are the same everywhere. */
function noise(sizeBytes: number, seed: string): Buffer {
  const parts: Buffer[] = []
  for (let n = 0; n * 32 < sizeBytes; n += 1) parts.push(hash('sha256', `${seed}:${n}`, 'buffer'))
  return Buffer.concat(parts).subarray(0, sizeBytes)
}

function chunksOf(bytes: Uint8Array, partBytes = 100_000) {
  const chunker = createChunker()
  for (let at = 0; at < bytes.length; at += partBytes) chunker.update(bytes.subarray(at, at + partBytes))
  return chunker.finish()
}

const twoMegabytes = noise(2_000_000, 'old')

test('chunks lie one after the other, each within its bounds and with its hash', () => {
  const chunks = chunksOf(twoMegabytes)
  let end = 0
  for (const [n, { offset, sizeBytes, sha256 }] of chunks.entries()) {
    expect(offset).toBe(end)
    if (n < chunks.length - 1) expect(sizeBytes).toBeGreaterThanOrEqual(16_384)
    expect(sizeBytes).toBeLessThanOrEqual(262_144)
    expect(sha256).toBe(
      createHash('sha256')
        .update(twoMegabytes.subarray(offset, offset + sizeBytes))
        .digest('hex'),
    )
    end = offset + sizeBytes
  }
  expect(end).toBe(twoMegabytes.length)
  expect(end / chunks.length).toBeGreaterThan(40_000)
  expect(end / chunks.length).toBeLessThan(110_000)
})

test('how the bytes arrive does not matter', () => {
  const whole = chunksOf(twoMegabytes)
  fc.assert(
    fc.property(fc.integer({ min: 1000, max: 300_000 }), (partBytes) => {
      expect(chunksOf(twoMegabytes, partBytes)).toEqual(whole)
    }),
    { numRuns: 10 },
  )
})

test('a few bytes put in change only the chunks around them', () => {
  const changed = Buffer.concat([twoMegabytes.subarray(0, 700_000), Buffer.from('new'), twoMegabytes.subarray(700_000)])
  const known = new Set(chunksOf(twoMegabytes).map(({ sha256 }) => sha256))
  const fresh = chunksOf(changed).filter(({ sha256 }) => !known.has(sha256))
  expect(fresh.length).toBeLessThanOrEqual(3)
})

test('the cut points are part of the format', () => {
  expect(hash('sha256', JSON.stringify(chunksOf(twoMegabytes)))).toBe(
    'e3fa2db57ea6bc012185e2b23b177646c3856ae024570f9db8656e7a5b5c170b',
  )
})

test('pieces are cut every mebibyte', () => {
  const hasher = createPieceHasher()
  for (let at = 0; at < twoMegabytes.length; at += 65_537) hasher.update(twoMegabytes.subarray(at, at + 65_537))
  const piece = (from: number, to: number) => hash('sha256', twoMegabytes.subarray(from, to))
  expect(hasher.finish()).toEqual([piece(0, 1_048_576), piece(1_048_576, 2_000_000)])
})
