import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalJson, canonicalise, isPrototypeName, parseStrictJson } from './canonical.ts'

const key = fc.stringMatching(/^[ -~]{1,8}$/).filter((name) => !isPrototypeName(name))
const { value: anyValue } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(key, tie('value'), { maxKeys: 5, noNullPrototype: true }),
  ),
}))

test('known values have the text that every TUF implementation writes', () => {
  expect(canonicalJson({ b: [1, true, null], a: 'x' })).toBe('{"a":"x","b":[1,true,null]}')
  expect(canonicalJson({ 'a"\\': 'q"\\\n\tü→😀' })).toBe('{"a\\"\\\\":"q\\"\\\\\n\tü→😀"}')
  expect(canonicalJson({ Z: -1, a: {}, A: [] })).toBe('{"A":[],"Z":-1,"a":{}}')
  expect(canonicalJson([Number.MAX_SAFE_INTEGER, -0])).toBe('[9007199254740991,0]')
})

test('a value read back from the wire keeps its canonical text', () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      expect(canonicalJson(JSON.parse(JSON.stringify(value)))).toBe(canonicalJson(value))
      expect(parseStrictJson(JSON.stringify(value)).ok).toBe(true)
    }),
  )
})

test('a canonical text without control characters is its own canonical text after a parse', () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      const text = canonicalJson(value)
      // oxlint-disable-next-line no-control-regex -- control characters are exactly what is excluded here
      fc.pre(!/[\u0000-\u001f]/.test(text))
      expect(canonicalJson(JSON.parse(text))).toBe(text)
    }),
  )
})

test('the order in which keys were written changes nothing', () => {
  fc.assert(
    fc.property(
      fc.dictionary(key, anyValue, { noNullPrototype: true }),
      fc.infiniteStream(fc.nat()),
      (value, chance) => {
        const ranked = Object.entries(value).map((entry) => ({ entry, rank: chance.next().value }))
        const shuffled = ranked.toSorted((a, b) => a.rank - b.rank).map(({ entry }) => entry)
        expect(canonicalJson(Object.fromEntries(shuffled))).toBe(canonicalJson(value))
      },
    ),
  )
})

test('two values share a text only when they are the same value', () => {
  fc.assert(
    fc.property(anyValue, anyValue, (one, other) => {
      const isSame = JSON.stringify(sorted(one)) === JSON.stringify(sorted(other))
      expect(canonicalJson(one) === canonicalJson(other)).toBe(isSame)
    }),
  )
})

test.each([
  ['a fraction', 1.5],
  ['an integer past 2^53', 2 ** 53],
  ['not a number', Number.NaN],
  ['infinity', Number.POSITIVE_INFINITY],
  ['undefined in an object', { a: undefined }],
  ['a hole in a list', [1, , 2]], // oxlint-disable-line no-sparse-arrays -- the hole is the test
  ['a bigint', 1n],
  ['a date', new Date(0)],
  ['a map', new Map()],
  ['a lone surrogate', 'a\ud800'],
  ['a lone surrogate in a key', { 'a\ud800': 1 }],
  ['a key outside ASCII', { ü: 1 }],
  ['an empty key', { '': 1 }],
  ['the key constructor', { constructor: 1 }],
  ['the key __proto__', JSON.parse('{"__proto__":1}')],
  ['endless nesting', Array.from({ length: 70 }).reduce<unknown>((inner) => [inner], 1)],
])('%s has no canonical text', (_name, value) => {
  expect(canonicalise(value).ok).toBe(false)
})

test.each([
  ['a key twice', '{"a":1,"a":1}', 'has a key twice'],
  ['a key twice in other letters', '{"a":1,"\\u0061":2}', 'has a key twice'],
  ['a key twice deep inside', '{"a":[{"b":1,"b" : 2}]}', 'has a key twice'],
  ['a prototype key', '{"__proto__":{"a":1}}', 'a name of every object'],
  ['a fraction', '{"a":1.5}', 'not an integer'],
  ['half a document', '{"a":', 'is not JSON'],
])('reading refuses %s', (_name, text, reason) => {
  const read = parseStrictJson(text)
  expect(read).toEqual({ ok: false, error: expect.stringContaining(reason) })
})

test('text that only looks like a key is not counted as one', () => {
  expect(parseStrictJson('{"a":"\\"b\\":1","c":["x",":"]}').ok).toBe(true)
})

function sorted(value: unknown): unknown {
  if (typeof value === 'number') return value + 0
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  // Pairs instead of an object: an object would put keys that look like numbers first.
  return { pairs: entries.map(([name, item]) => [name, sorted(item)]) }
}
