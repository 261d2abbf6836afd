import fc from 'fast-check'
import { expect, test } from 'vitest'
import { storable } from './storable.ts'

test('what PostgreSQL cannot store is replaced, wherever it stands', () => {
  const said = {
    cause: 'a\0b',
    notes: ['\ud83d', 'whole 😀', 'plain \\u0000 text'],
    deep: { of: ['\udc00'] },
    count: 3,
  }
  expect(storable(said)).toEqual({
    cause: 'a\ufffdb',
    notes: ['\ufffd', 'whole 😀', 'plain \\u0000 text'],
    deep: { of: ['\ufffd'] },
    count: 3,
  })
})

test('everything else stays as it is, and nothing unstorable is left', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), fc.boolean())), (said) => {
      const plain = said.map((one) => (typeof one === 'string' ? one.toWellFormed().replaceAll('\0', '?') : one))
      expect(storable(plain)).toEqual(plain)
      for (const one of storable(said)) {
        if (typeof one === 'string') expect(one.isWellFormed() && !one.includes('\0')).toBe(true)
      }
    }),
  )
})
