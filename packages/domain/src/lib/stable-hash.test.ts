import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sha256 } from './sha256.ts'
import { lotBound, stableHash32, stableHash53 } from './stable-hash.ts'

/** Any code point, half surrogates too. */
const character = fc.integer({ min: 0, max: 0x10_ff_ff }).map((code) => String.fromCodePoint(code))

test('the digest is the one everybody else computes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(Buffer.from(sha256(bytes)).toString('hex')).toBe(createHash('sha256').update(bytes).digest('hex'))
    }),
  )
})

test('the lots of known devices never change', () => {
  expect(stableHash32('pilot', 'a'.repeat(64))).toBe(0x0a59eea9)
  expect(stableHash32('', '')).toBe(0x01ba4719)
  expect(stableHash53('', '')).toBe(Number(0x01ba4719c80b6fe9n >> 11n))
})

test('any text can be a seed, and the hash is over its UTF-8', () => {
  fc.assert(
    fc.property(fc.string({ unit: character }), fc.string(), (seed, id) => {
      const digest = createHash('sha256').update(`${seed}\n${id}`, 'utf8').digest()
      expect(stableHash32(seed, id)).toBe(digest.readUInt32BE(0))
    }),
  )
})

test('a tenth of the lots falls below a tenth of the line', () => {
  const bound = lotBound(100_000)
  let below = 0
  for (let device = 0; device < 20_000; device += 1) if (stableHash32('seed', String(device)) < bound) below += 1
  expect(below).toBeGreaterThan(1_800)
  expect(below).toBeLessThan(2_200)
})

test('a million parts are the whole line and none is nothing', () => {
  expect(lotBound(0)).toBe(0)
  expect(lotBound(1_000_000)).toBe(2 ** 32)
})
