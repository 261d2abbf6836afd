import type { DeviceOrder } from '@bascule/contract/estate/device.ts'
import type { DeviceId } from '@bascule/domain/lib/ids.ts'
import { createTestDatabase, type TestDatabase } from '@bascule/testkit/test-database.ts'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect, type DatabaseHandle } from '#/platform/db/connect.ts'
import type { Actor } from '#/platform/lib/actor.ts'
import type { Answer } from '#/platform/lib/answer.ts'
import { addDevices, addPlaces, generateFleet, orgUnitIdOf, siteIdOf } from '../testing/fleet-of.ts'
import { countMatching, type DeviceCall, filterFrom, listAnchors, listDevices } from './device-list.service.ts'
import { devicePage } from './device-list.store.ts'
import { assignDevices, changeDeviceState, getDevice, renameDevice } from './device.service.ts'
import { createFleet } from './fleet.ts'

const now = Temporal.Instant.from('2026-11-23T08:00:00Z')
const admin: Actor = { kind: 'person', id: 'p1', name: 'Mira', grants: [{ role: 'administrator' }] }
const inYork: Actor = { ...admin, grants: [{ role: 'administrator', site: siteIdOf('york') }] }
const fleetSize = 100_000
let database: TestDatabase
let handle: DatabaseHandle
let call: DeviceCall

beforeAll(async () => {
  database = await createTestDatabase()
  handle = await connect({ connection: database.address, poolSize: 3 })
  await addPlaces(handle.db)
  await generateFleet(handle.db, fleetSize)
  const fleet = createFleet({ database: handle, now: () => now, checkInSeconds: 900 })
  await fleet.refresh('all')
  call = { db: handle.db, actor: admin, now, fleet }
}, 120_000)

afterAll(async () => {
  await handle[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
})

function valueOf<T>(answer: Answer<T>): T {
  if (!answer.ok) throw new Error(JSON.stringify(answer.error))
  return answer.value
}

const orders: readonly DeviceOrder[] = ['name', 'state', 'os', 'version', 'free', 'site', 'org', 'seen']

test.each(orders)(
  'pages by %s follow each other without a gap, up and down, and anchors lead into them',
  async (by) => {
    for (const order of [by, `-${by}`]) {
      const query = 'os:darwin'
      const { total, cursors } = valueOf(await listAnchors(call, { query, order, every: 500 }))
      expect(total).toBe(fleetSize / 4)
      expect(cursors).toHaveLength(Math.ceil(total / 500) - 1)
      const first = valueOf(await listDevices(call, { query, order, limit: 500 }))
      expect(first.next).toBe(cursors[0])
      const second = valueOf(await listDevices(call, { query, order, limit: 500, after: first.next }))
      expect(second.next).toBe(cursors[1])
      expect(new Set([...first.items, ...second.items].map((item) => item.id)).size).toBe(1000)
      const last = valueOf(await listDevices(call, { query, order, limit: 500, after: cursors.at(-1) }))
      expect(last.items).toHaveLength(500)
      expect(last.next).toBeUndefined()
    }
  },
)

test.each([
  ['name', 'device_name'],
  ['state', 'device_state'],
  ['os', 'device_os'],
  ['version', 'device_agent_version'],
  ['free', 'device_disk_free'],
] as const)('the first page and a jump by %s come from an index and sort nothing', async (by, index) => {
  const filter = valueOf(await filterFrom(call, '', 'device.read'))
  const middle = { key: by === 'name' ? 'gen-0050000' : by === 'state' ? 'active' : 't', id: '50000' }
  for (const after of [undefined, middle]) {
    const page = devicePage(filter, { by, isDescending: false }, after, 51)
    const { rows } = await sql<{ 'QUERY PLAN': string }>`explain ${page}`.execute(handle.db)
    const lines = rows.map((row) => row['QUERY PLAN'])
    const part = lines.slice(lines.findIndex((line) => line.includes('CTE page'))).join('\n')
    expect(part).toMatch(new RegExp(`Index (Only )?Scan using ${index} on device`))
    expect(part).not.toContain('Seq Scan on device')
    expect(part.split('CTE Scan')[0]).not.toContain('Sort')
  }
})

test('a count says how many match, are active and are silent', async () => {
  expect(valueOf(await countMatching(call, ''))).toEqual({
    total: fleetSize,
    active: fleetSize - fleetSize / 500,
    silent: 0,
  })
  const later = { ...call, now: now.add({ hours: 24 * 30 }) }
  expect(valueOf(await countMatching(later, 'site:york state:silent'))).toMatchObject({ total: 1800, silent: 1800 })
  const [row] = valueOf(await listDevices(later, { query: 'site:york', order: '', limit: 1 })).items
  expect(row).toMatchObject({ name: 'GEN-0000050', state: 'silent', site: 'York' })
})

test('a query that is none is answered with its field and place', async () => {
  expect(await listDevices(call, { query: 'os:', order: '', limit: 10 })).toMatchObject({
    error: { kind: 'bad-input', problems: [{ field: 'query', problem: expect.stringContaining('character 4') }] },
  })
})

test('who may only see one site sees, counts and changes only what is there', async () => {
  const local = { ...call, actor: inYork }
  expect(valueOf(await countMatching(local, ''))).toMatchObject({ total: fleetSize / 50 })
  const [elsewhere] = valueOf(await listDevices(call, { query: 'site:leeds', order: '', limit: 1 })).items
  expect(await getDevice(local, elsewhere!.id)).toMatchObject({ error: { kind: 'not-found' } })
  const change = { devices: { deviceIds: [elsewhere!.id] }, change: { tags: ['mine'] } }
  expect(await assignDevices(local, change)).toMatchObject({ error: { kind: 'not-found' } })
})

test('who may change devices at one site gives none of them away to another', async () => {
  const local = { ...call, actor: inYork }
  const [own] = valueOf(await listDevices(local, { query: '', order: '', limit: 1 })).items
  const devices = { deviceIds: [own!.id] }
  for (const siteId of [siteIdOf('leeds'), null]) {
    const refused = await assignDevices(local, { devices, change: { siteId } })
    expect(refused).toMatchObject({ error: { kind: 'forbidden', permission: 'device.write' } })
  }
  expect(await assignDevices(local, { devices, change: { orgUnitId: orgUnitIdOf('sales') } })).toMatchObject({
    ok: true,
  })
})

test('everything that matches is changed at once, without those that were taken out, each with its fact', async () => {
  const query = 'site:york os:windows state:active'
  const { total } = valueOf(await countMatching(call, query))
  const [kept] = valueOf(await listDevices(call, { query, order: '', limit: 1 })).items
  const devices = { query, except: [kept!.id] }
  const done = valueOf(await assignDevices(call, { devices, change: { tags: ['pilot'], roles: ['till', 'till'] } }))
  expect(done).toEqual({ changed: total - 1, unchanged: 0 })
  expect(valueOf(await assignDevices(call, { devices, change: { tags: ['pilot'] } }))).toEqual({
    changed: 0,
    unchanged: total - 1,
  })
  expect(valueOf(await countMatching(call, 'tag:pilot role:till'))).toMatchObject({ total: total - 1 })
  const { facts } = await handle.db
    .selectFrom('ledger')
    .select((eb) => eb.fn.countAll<number>().as('facts'))
    .where('did', '=', 'device.assigned')
    .executeTakeFirstOrThrow()
  expect(facts).toBe(total - 1)
})

test('a device goes through its states, the fleet knows at once, and its item follows', async () => {
  const [pending] = await addDevices(handle.db, [
    { name: 'fresh', roles: [], tags: [], facts: { os: 'linux' }, state: 'pending' },
  ])
  await call.fleet.refresh([pending!.keyId])
  const devices = { deviceIds: [pending!.keyId as DeviceId] }
  const change = async (action: 'suspend' | 'revoke' | 'decommission') =>
    await changeDeviceState(call, { devices, action, reason: 'lost' })
  expect(await change('suspend')).toMatchObject({ error: { kind: 'refused', refusal: { rule: 'device-state' } } })
  expect(valueOf(await changeDeviceState(call, { devices, action: 'approve' }))).toEqual({ changed: 1, unchanged: 0 })
  expect(call.fleet.find(pending!.keyId)?.state).toBe('active')
  valueOf(await change('revoke'))
  expect(call.fleet.find(pending!.keyId)?.state).toBe('revoked')
  valueOf(await change('decommission'))
  const item = await handle.db
    .selectFrom('ci')
    .selectAll()
    .where('device_id', '=', pending!.id)
    .executeTakeFirstOrThrow()
  expect(item).toMatchObject({ class: 'device', key: pending!.keyId, state: 'retired' })
  const told = await handle.db
    .selectFrom('ledger')
    .select('did')
    .where('subject_id', '=', pending!.keyId)
    .orderBy('id')
    .execute()
  expect(told.map((fact) => fact.did)).toEqual(['device.approved', 'device.revoked', 'device.decommissioned'])
})

test('one device shows all that is known of it, and a rename on an old view is refused', async () => {
  const [device] = await addDevices(handle.db, [
    {
      name: 'solo',
      site: 'leeds',
      orgUnit: 'inside-sales',
      roles: ['till'],
      tags: [],
      facts: { os: 'linux', 'os.name': 'Debian 13' },
    },
  ])
  const id = device!.keyId as DeviceId
  await call.fleet.refresh([id])
  expect(valueOf(await getDevice(call, id))).toMatchObject({
    name: 'solo',
    os: 'Debian 13',
    site: 'Leeds Harbour',
    orgUnitRef: { code: 'inside-sales' },
    facts: { os: 'linux' },
    packages: [],
  })
  expect(valueOf(await renameDevice(call, { deviceId: id, name: 'duo', version: 1 })).name).toBe('duo')
  expect(await renameDevice(call, { deviceId: id, name: 'trio', version: 1 })).toMatchObject({
    error: { refusal: { rule: 'changed-meanwhile' } },
  })
  expect(
    await assignDevices(call, { devices: { deviceIds: [id] }, change: { orgUnitId: orgUnitIdOf('nothing') } }),
  ).toMatchObject({ error: { kind: 'bad-input' } })
})
