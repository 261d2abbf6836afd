import { createTestDatabase } from '@bascule/testkit/test-database.ts'
import { expect, test } from 'vitest'
import { pino } from 'pino'
import { connect } from '#/platform/db/connect.ts'
import { countStatements } from '#/platform/db/statements.ts'
import { createEventBus } from '#/platform/events/bus.ts'
import { addDevices, addPlaces, generateFleet } from '../testing/fleet-of.ts'
import { createFleet, openFleet } from './fleet.ts'

const start = Temporal.Instant.from('2026-11-23T08:00:00Z')
const second = 1000

async function setUp() {
  const stack = new AsyncDisposableStack()
  const database = stack.use(await createTestDatabase())
  const handle = stack.use(await connect({ connection: database.address, poolSize: 3 }))
  await addPlaces(handle.db)
  const fleetOver = () => createFleet({ database: handle, now: () => start, checkInSeconds: 900 })
  return { handle, db: handle.db, fleetOver, [Symbol.asyncDispose]: async () => await stack.disposeAsync() }
}

const plain = { roles: [], tags: [], facts: {} }

test('a large fleet is read whole, and 1,000 check-ins of idle devices cost no query', async () => {
  await using scope = await setUp()
  await generateFleet(scope.db, 5000)
  const fleet = scope.fleetOver()
  await fleet.refresh('all')
  expect(fleet.size).toBe(5000)
  const keys = await scope.db.selectFrom('device').select(['id', 'key_id', 'public_key']).limit(1000).execute()
  using counted = countStatements(scope.handle)
  for (const { id, key_id: keyId, public_key: publicKey } of keys) {
    expect(fleet.find(keyId)).toMatchObject({ index: id, publicKey })
    fleet.touch(id, start.epochMilliseconds)
    expect(fleet.acceptSeq(id, 7)).toBe(true)
    fleet.factsHash(id)
    fleet.isSilent(id, start.epochMilliseconds)
  }
  expect(counted.count).toBe(0)
  await fleet.flush()
  expect(counted.count).toBe(1)
  await fleet.flush()
  expect(counted.count).toBe(1)
})

test('what was heard is there after a restart, and a number that was used is refused again', async () => {
  await using scope = await setUp()
  const [device] = await addDevices(scope.db, [{ ...plain, name: 'till' }])
  const before = scope.fleetOver()
  await before.refresh('all')
  const index = device!.id
  expect(before.acceptSeq(index, 12)).toBe(true)
  expect(before.acceptSeq(index, 12)).toBe(false)
  before.touch(index, start.epochMilliseconds)
  await before.flush()
  const after = scope.fleetOver()
  await after.refresh('all')
  expect(after.lastSeenMs(index)).toBe(start.epochMilliseconds)
  expect(after.acceptSeq(index, 12)).toBe(false)
  expect(after.acceptSeq(index, 13)).toBe(true)
})

test('a server that lags behind never takes back what another one has heard', async () => {
  await using scope = await setUp()
  const [device] = await addDevices(scope.db, [{ ...plain, name: 'till' }])
  const [one, two] = [scope.fleetOver(), scope.fleetOver()]
  await one.refresh('all')
  await two.refresh('all')
  one.touch(device!.id, start.epochMilliseconds + 60 * second)
  two.touch(device!.id, start.epochMilliseconds)
  await one.flush()
  await two.flush()
  const row = await scope.db.selectFrom('device_presence').selectAll().executeTakeFirstOrThrow()
  expect(row.last_seen_at.epochMilliseconds).toBe(start.epochMilliseconds + 60 * second)
})

test('a device is silent after three times its habit, and only while it is active', async () => {
  await using scope = await setUp()
  const [till, laptop] = await addDevices(scope.db, [
    { ...plain, name: 'till' },
    { ...plain, name: 'laptop', state: 'suspended' },
  ])
  const fleet = scope.fleetOver()
  await fleet.refresh('all')
  const at = start.epochMilliseconds
  for (const device of [till!, laptop!]) {
    fleet.touch(device.id, at)
    for (let round = 1; round <= 60; round += 1) fleet.touch(device.id, at + round * 900 * second)
  }
  const last = at + 60 * 900 * second
  expect(fleet.countSilent(last + 2000 * second)).toBe(0)
  expect(fleet.countSilent(last + 30_000 * second)).toBe(1)
  expect(fleet.silentSince(till!.id, last + 30_000 * second)).toBe(last)
  expect(fleet.silentIndexes(last + 30_000 * second)).toEqual([till!.id])
  expect(fleet.isSilent(laptop!.id, last + 30_000 * second)).toBe(false)
})

test('after a server was down nobody is silent before there was time to be heard', async () => {
  await using scope = await setUp()
  const [device] = await addDevices(scope.db, [{ ...plain, name: 'till' }])
  const fleet = scope.fleetOver()
  await fleet.refresh('all')
  expect(fleet.lastSeenMs(device!.id)).toBeLessThan(start.epochMilliseconds - 86_400 * second)
  expect(fleet.isSilent(device!.id, start.epochMilliseconds + 60 * second)).toBe(false)
})

test('a device that was changed elsewhere is read again when the event comes', async () => {
  await using scope = await setUp()
  const [device] = await addDevices(scope.db, [{ ...plain, name: 'till' }])
  const bus = createEventBus(() => undefined)
  const fleet = scope.fleetOver()
  await using opened = await openFleet(fleet, { bus, log: pino({ level: 'silent' }) })
  expect(opened).toBeDefined()
  await scope.db.updateTable('device').set({ state: 'revoked' }).execute()
  const changed = new Promise((resolve) => fleet.onChange(resolve))
  bus.emit([{ entity: 'device', id: device!.keyId, version: '1' }])
  expect(await changed).toEqual([device!.keyId])
  expect(fleet.find(device!.keyId)?.state).toBe('revoked')
})

test('facts are stored once per change, and the same facts again touch no row', async () => {
  await using scope = await setUp()
  const [device] = await addDevices(scope.db, [{ ...plain, name: 'till' }])
  const fleet = scope.fleetOver()
  await fleet.refresh('all')
  const hash = 'ab'.repeat(32)
  await fleet.saveFacts(device!.id, { os: 'linux', name: 'liar' }, hash, '1.2.3')
  expect(fleet.factsHash(device!.id)).toBe(hash)
  const row = () => scope.db.selectFrom('device').selectAll().executeTakeFirstOrThrow()
  const first = await row()
  expect(first.facts).toEqual({ os: 'linux', 'agent.version': '1.2.3' })
  expect(first.terms).toContain('os=linux')
  await fleet.saveFacts(device!.id, { os: 'other' }, hash, '1.2.3')
  expect((await row()).facts).toEqual(first.facts)
  const again = scope.fleetOver()
  await again.refresh('all')
  expect(again.factsHash(device!.id)).toBe(hash)
})
