import { indexFacts } from '@bascule/domain/estate/query/index-facts.ts'
import { matches } from '@bascule/domain/estate/query/matches.ts'
import { parseQuery } from '@bascule/domain/estate/query/parse-query.ts'
import type { QueryFacts } from '@bascule/domain/estate/query/query.ts'
import { anyCharacter, anyQuery } from '@bascule/testkit/estate/any-query.ts'
import { createTestDatabase, type TestDatabase } from '@bascule/testkit/test-database.ts'
import fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect, type DatabaseHandle } from '#/platform/db/connect.ts'
import { addDevices, addPlaces, generateFleet, type DeviceSeed } from '../testing/fleet-of.ts'
import { selectDevices } from './audience.service.ts'
import { compileQuery } from './compile-query.ts'
import { loadPlaces } from './places.ts'

let database: TestDatabase
let handle: DatabaseHandle

beforeAll(async () => {
  database = await createTestDatabase()
  handle = await connect({ connection: database.address, poolSize: 2 })
  await addPlaces(handle.db)
})

afterAll(async () => {
  await handle[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
})

const text = fc.oneof(
  fc.constantFrom('linux', 'LINUX', '12', '12.0', '12.10', '13-rc.1', '9', 'true', 'grüße', 'a b', 'Å', '12_10', '12%'),
  fc.string({ unit: anyCharacter, maxLength: 5 }),
)
const value = fc.oneof(
  text,
  fc.integer({ min: -5, max: 15 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
)
const seed: fc.Arbitrary<DeviceSeed> = fc.record({
  name: fc.constantFrom('WS-1', 'ws-linux', 'Till_7', 'leeds', 'a12'),
  site: fc.constantFrom(undefined, 'leeds', 'york'),
  orgUnit: fc.constantFrom(undefined, 'sales', 'inside-sales', 'finance'),
  roles: fc.subarray(['sales', 'till', 'linux']),
  tags: fc.subarray(['12', 'kiosk']),
  facts: fc.dictionary(
    fc.constantFrom('os', 'os.version', 'disk.free.bytes', 'package.salesdesk', 'virtual', 'note', 'site'),
    value,
  ),
})

const words: Record<string, readonly string[]> = {
  leeds: ['leeds', 'Leeds Harbour'],
  york: ['york', 'York'],
  sales: ['sales', 'Sales'],
  'inside-sales': ['sales', 'Sales', 'inside-sales', 'Inside Sales'],
  finance: ['finance', 'Finance'],
}

function factsOf(device: DeviceSeed, keyId: string): QueryFacts {
  return {
    ...indexFacts(device.facts).facts,
    id: keyId,
    name: device.name,
    state: 'active',
    ...(device.site === undefined ? {} : { site: words[device.site] }),
    ...(device.site === 'leeds' ? { country: 'GB', region: 'Yorkshire' } : {}),
    ...(device.orgUnit === undefined ? {} : { org: words[device.orgUnit] }),
    role: device.roles,
    tag: device.tags,
  }
}

test('SQL takes exactly the devices that the rule in memory takes', async () => {
  const seeds = fc.sample(seed, { numRuns: 400, seed: 7 })
  const devices = await addDevices(handle.db, seeds)
  const places = await loadPlaces(handle.db)
  await fc.assert(
    fc.asyncProperty(anyQuery, async (query) => {
      const inMemory = devices.filter((one) => matches(query, factsOf(one.seed, one.keyId))).map((one) => one.id)
      const rows = await handle.db
        .selectFrom('device')
        .select('id')
        .where(compileQuery(query, places))
        .orderBy('id')
        .execute()
      expect(rows.map((row) => row.id)).toEqual(inMemory)
    }),
    { numRuns: 300 },
  )
})

test('only active devices are selected', async () => {
  await addDevices(handle.db, [{ name: 'asleep', roles: [], tags: [], facts: {}, state: 'suspended' }])
  expect(await selectDevices(handle.db, treeOf('name:asleep'))).toEqual([])
})

test('what a person writes never becomes SQL', async () => {
  const compiled =
    sql`select from device where ${compileQuery(treeOf(`os:"'; drop table device" x<"') --" "%_\\\\"`), { sites: [], orgUnits: [] })}`.compile(
      handle.db,
    )
  expect(compiled.sql).not.toMatch(/drop|--|%/)
})

test('the common questions are answered by an index in a large fleet', async () => {
  await generateFleet(handle.db, 20_000)
  const places = await loadPlaces(handle.db)
  const expected: Record<string, string> = {
    'os:plan9': 'device_terms',
    'has:package.rare': 'device_terms',
    'package.rare<3': '',
    'name:gen-19*': 'device_name',
    'en-1234': 'device_name_part',
    'site:york': 'device_site',
    'org:finance': 'device_org_unit',
    'role:rare': 'device_roles',
    'tag:rare': 'device_tags',
    'state:revoked': 'device_state',
    'os.version>=99': 'device_os_version',
    'free<10MB': 'device_disk_free',
  }
  for (const [text, index] of Object.entries(expected)) {
    const where = compileQuery(treeOf(text), places)
    const plan = await sql<{ 'QUERY PLAN': string }>`explain select id from device where ${where}`.execute(handle.db)
    const lines = plan.rows.map((row) => row['QUERY PLAN']).join('\n')
    expect(lines, text).toContain(index)
    if (index !== '') expect(lines, text).not.toContain('Seq Scan on device')
  }
})

function treeOf(text: string) {
  const parsed = parseQuery(text)
  if (!parsed.ok) throw new Error(`${text}: ${parsed.error.message}`)
  return parsed.value
}
