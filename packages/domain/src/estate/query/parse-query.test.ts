import fc from 'fast-check'
import { expect, test } from 'vitest'
import { anyCharacter, anyQuery } from '@bascule/testkit/estate/any-query.ts'
import { formatQuery } from './format-query.ts'
import { parseQuery } from './parse-query.ts'
import type { Query } from './query.ts'

test('conditions side by side must all hold', () => {
  expect(treeOf('os:linux os.version>=12 role:sales')).toEqual({
    kind: 'and',
    of: [
      { kind: 'is', key: 'os', value: 'linux' },
      { kind: 'compare', key: 'os.version', op: '>=', value: '12' },
      { kind: 'is', key: 'role', value: 'sales' },
    ],
  })
})

test('minus, or, parentheses, quotes and stars say what they look like', () => {
  expect(treeOf('-org:finance (a or "b c") name:ws-*')).toEqual({
    kind: 'and',
    of: [
      { kind: 'not', of: { kind: 'is', key: 'org', value: 'finance' } },
      {
        kind: 'or',
        of: [
          { kind: 'word', text: 'a' },
          { kind: 'word', text: 'b c' },
        ],
      },
      { kind: 'like', key: 'name', parts: ['ws-', ''] },
    ],
  })
})

test('a short word stands for the full name of the fact, and a sign may follow the colon', () => {
  expect(treeOf('free:<2GB')).toEqual({ kind: 'compare', key: 'disk.free.bytes', op: '<', value: '2GB' })
  expect(treeOf('os!=linux')).toEqual({ kind: 'not', of: { kind: 'is', key: 'os', value: 'linux' } })
})

test('a sample is a share of the line, with or without a seed', () => {
  expect(treeOf('sample:10%@spring')).toEqual({ kind: 'sample', fromPpm: 0, toPpm: 100_000, seed: 'spring' })
  expect(treeOf('sample:10%..32.5%')).toEqual({ kind: 'sample', fromPpm: 100_000, toPpm: 325_000, seed: '' })
})

test('an empty query takes everything', () => {
  expect(treeOf('  ')).toEqual({ kind: 'all' })
})

test.each([
  ['site:', 5, 'Write a value after "site:".'],
  ['os:linux name>x', 14, '"name" has no order; write name:value, with * for any text.'],
  ['(os:linux', 0, 'This parenthesis is never closed.'],
  ['os:linux)', 8, 'This closing parenthesis has no opening one.'],
  ['name:"abc', 5, 'This quotation mark is never closed; add another " after the text.'],
  ['os:linux or', 11, 'Something is missing at the end.'],
  ['a or or b', 5, 'A condition is missing here; put the word in quotes to look for it.'],
  ['()', 1, 'A condition is missing before this parenthesis.'],
  [':x', 0, 'Write the name of a fact before this sign, as in os:linux.'],
  ['größe:3', 0, '"größe" is not the name of a fact.'],
  ['free<2*', 5, 'A comparison takes a value without *.'],
  ['has:two*', 4, 'Write has: and the name of a fact, as in has:package.firefox.'],
  ['sample:110%', 7, 'A share lies between 0% and 100%, the smaller number first.'],
  ['sample:ten', 7, 'Write sample: and a share, as in sample:10%, sample:10%..30% or sample:10%@seed.'],
  ['-'.repeat(40), 33, 'A query is nested at most 32 deep.'],
])('%s is refused at its place with a sentence', (text, at, message) => {
  expect(parseQuery(text)).toEqual({ ok: false, error: { at, message } })
})

test('what is written out reads back as the same tree', () => {
  fc.assert(
    fc.property(anyQuery, (query) => {
      expect(treeOf(formatQuery(query))).toEqual(query)
    }),
    { numRuns: 2000 },
  )
})

test('no text at all makes the parser throw, and every problem lies within the text', () => {
  const pieces = fc.constantFrom(
    '(',
    ')',
    '-',
    '"',
    '*',
    ':',
    '<',
    '=',
    '!',
    ' ',
    '\\',
    'or',
    'not',
    'os',
    'sample:',
    '%',
    '@',
  )
  const texts = fc.oneof(
    fc.string({ unit: anyCharacter }),
    fc.array(pieces).map((parts) => parts.join('')),
  )
  fc.assert(
    fc.property(texts, (text) => {
      const parsed = parseQuery(text)
      if (parsed.ok) expect(treeOf(formatQuery(parsed.value))).toEqual(parsed.value)
      else expect(parsed.error.at).toBeLessThanOrEqual(text.length)
    }),
    { numRuns: 3000 },
  )
})

function treeOf(text: string): Query {
  const parsed = parseQuery(text)
  if (!parsed.ok) throw new Error(`${text}: ${parsed.error.message}`)
  return parsed.value
}
