import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareVersions, isVersion } from '../package/version.ts'
import { matches } from './matches.ts'
import { numberKey, versionKey } from './order-key.ts'
import { parseQuery } from './parse-query.ts'
import type { QueryFacts } from './query.ts'

const till: QueryFacts = {
  id: 'ab'.repeat(32),
  name: 'WS-Leeds-07',
  state: 'active',
  site: ['leeds', 'Leeds Harbour'],
  org: ['sales', 'Sales', 'emea', 'EMEA'],
  role: ['sales', 'till'],
  tag: [],
  os: 'linux',
  'os.version': '12.10',
  'package.salesdesk': '11.4.0',
  'disk.free.bytes': 1_500_000_000,
  virtual: true,
}

test.each([
  'os:linux os.version>=12 site:leeds role:sales package.salesdesk<12',
  'site:"leeds harbour"',
  'org:emea',
  'OS:LINUX',
  'free:<2GB',
  'free>=1.5GB',
  'disk.free.bytes:1500000000',
  'os.version<13',
  'os.version>12',
  'virtual:true',
  'has:package.salesdesk -has:package.firefox',
  'leeds',
  'ws-*',
  'name:*-07',
  'name:ws*eed*7',
  '-tag:kiosk',
  'site:york or site:leeds',
  '-(site:york or os:windows)',
  'sample:100%',
])('the till matches %s', (text) => {
  expect(answer(text)).toBe(true)
})

test.each([
  'os.version>=12.11',
  'free<1GB',
  'free<1.2.3',
  'os:lin',
  'name:*leeds',
  'name:ws-*-07-*7',
  'tag:kiosk',
  'missing<5',
  'missing:""',
  'virtual>0',
  'sample:0%',
  'constructor:x',
])('the till does not match %s', (text) => {
  expect(answer(text)).toBe(false)
})

test('disjoint samples share nobody and together they are everybody', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[0-9a-f]{64}$/), fc.stringMatching(/^[a-z]{0,8}$/), (id, seed) => {
      const parts = ['sample:0%..20%', 'sample:20%..55.5%', 'sample:55.5%..100%']
      const inside = parts.filter((part) => matches(treeOf(`${part}@${seed}`), { id }))
      expect(inside).toHaveLength(1)
    }),
  )
})

test('byte order of version keys is the order of versions', () => {
  const part = fc.stringMatching(/^(?:[0-9]{1,3}|[a-z]{1,3}|rc|0)$/)
  const version = fc
    .tuple(fc.array(part, { minLength: 1, maxLength: 4 }), fc.option(fc.array(part, { minLength: 1, maxLength: 2 })))
    .map(([core, before]) => core.join('.') + (before === null ? '' : `-${before.join('.')}`))
    .filter((text) => isVersion(text))
  fc.assert(
    fc.property(version, version, (a, b) => {
      expect(Math.sign(byteOrder(versionKey(a), versionKey(b)))).toBe(Math.sign(compareVersions(a, b)))
    }),
    { numRuns: 5000 },
  )
})

test('byte order of number keys is the order of numbers', () => {
  const number = fc.oneof(fc.double({ noNaN: true }), fc.integer(), fc.constantFrom(0, -0, 1, -1))
  fc.assert(
    fc.property(number, number, (a, b) => {
      expect(Math.sign(byteOrder(numberKey(a), numberKey(b)))).toBe(Math.sign(a === b ? 0 : a - b))
    }),
  )
})

function byteOrder(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

function answer(text: string): boolean {
  return matches(treeOf(text), till)
}

function treeOf(text: string) {
  const parsed = parseQuery(text)
  if (!parsed.ok) throw new Error(`${text}: ${parsed.error.message}`)
  return parsed.value
}
