import type { Condition, Query } from '@bascule/domain/estate/query/query.ts'
import fc from 'fast-check'

/** Any code point, half surrogates and control characters too. */
export const anyCharacter = fc.integer({ min: 0, max: 0x10_ff_ff }).map((code) => String.fromCodePoint(code))

const factKeys = ['os', 'os.version', 'disk.free.bytes', 'package.salesdesk', 'virtual', 'note']
const texts = fc.oneof(
  fc.constantFrom(
    'linux',
    'Windows',
    '12',
    '12.10',
    '12.0',
    '13-rc.1',
    '2GB',
    '1.5',
    '-3',
    'true',
    'leeds',
    'gb',
    'sales',
    'ws',
    'Grüße',
    'a b',
    'or',
  ),
  fc.string({ unit: anyCharacter, maxLength: 6 }).map((text) => text.replaceAll('\0', '').toWellFormed()),
)
const factKey = fc.constantFrom(...factKeys)
const anyKey = fc.constantFrom(...factKeys, 'name', 'state', 'site', 'country', 'region', 'org', 'role', 'tag', 'id')
const ppm = fc.integer({ min: 0, max: 1_000_000 })

const condition: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({ kind: fc.constant('is' as const), key: anyKey, value: texts }),
  fc.record({
    kind: fc.constant('like' as const),
    key: anyKey,
    parts: fc.array(fc.oneof(texts, fc.constant('')), { minLength: 2, maxLength: 4 }),
  }),
  fc.record({
    kind: fc.constant('compare' as const),
    key: factKey,
    op: fc.constantFrom('<' as const, '<=' as const, '>' as const, '>=' as const),
    value: texts,
  }),
  fc.record({ kind: fc.constant('has' as const), key: anyKey }),
  fc.record({ kind: fc.constant('word' as const), text: texts }),
  fc
    .tuple(ppm, ppm, fc.oneof(fc.constant(''), texts))
    .map(([a, b, seed]) => ({ kind: 'sample' as const, fromPpm: Math.min(a, b), toPpm: Math.max(a, b), seed })),
)

/** Trees as the parser makes them: no list within a list of its own kind, and no list of one. */
function tree(depth: number): fc.Arbitrary<Query> {
  if (depth === 0) return condition
  const part = tree(depth - 1)
  const list = (kind: 'and' | 'or') =>
    fc
      .array(part, { minLength: 2, maxLength: 4 })
      .map((of): Query => ({ kind, of: of.flatMap((inner) => (inner.kind === kind ? inner.of : [inner])) }))
  return fc.oneof(
    condition,
    list('and'),
    list('or'),
    part.map((of): Query => ({ kind: 'not', of })),
  )
}

/** Any query over a small world of facts, so that random devices have a fair chance to match. */
export const anyQuery: fc.Arbitrary<Query> = fc.oneof(fc.constant<Query>({ kind: 'all' }), tree(3))
