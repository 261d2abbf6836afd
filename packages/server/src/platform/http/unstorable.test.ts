import { expect, test } from 'vitest'
import { findUnstorable } from './unstorable.ts'

test('a NUL or half a surrogate pair is found wherever it is, and named by its place', () => {
  expect(findUnstorable({ a: [{ b: 'x\0' }] })).toMatchObject({ field: 'a.0.b' })
  expect(findUnstorable({ name: '\uD800' })).toMatchObject({ field: 'name' })
  expect(findUnstorable({ 'x\0': 1 })).toMatchObject({ field: '' })
  expect(findUnstorable({ name: 'Ünïcödé 🦆 \n\t', n: 1, none: null, list: [] })).toBeUndefined()
})

test('what is nested beyond all reason is refused instead of exhausting the stack', () => {
  const deep: unknown = JSON.parse(`${'['.repeat(5000)}${']'.repeat(5000)}`)
  expect(findUnstorable({ deep })).toEqual({ field: 'deep.0.0', problem: 'is nested too deep' })
})
