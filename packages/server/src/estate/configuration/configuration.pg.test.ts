import type { DeviceId } from '@bascule/domain/lib/ids.ts'
import { createTestDatabase } from '@bascule/testkit/test-database.ts'
import { expect, test } from 'vitest'
import { connect } from '#/platform/db/connect.ts'
import { countStatements } from '#/platform/db/statements.ts'
import type { Actor } from '#/platform/lib/actor.ts'
import type { Answer } from '#/platform/lib/answer.ts'
import { updateFacts } from '../device/device-facts.service.ts'
import { addDevices, addPlaces, siteIdOf } from '../testing/fleet-of.ts'
import { differences, keepBaseline, listBaselines, takeBaseline } from './baseline.service.ts'
import { packagesOfDevice } from './configuration.queries.ts'
import { applyInstallReceipt, applyInstallReceipts, type InstallReceipt } from './configuration.service.ts'
import { getItem, listDrift, listHistory, listItems } from './configuration-lists.service.ts'

const now = Temporal.Instant.from('2026-11-23T08:00:00Z')
const keeper: Actor = { kind: 'person', id: 'p1', name: 'Mira', grants: [{ role: 'configuration-manager' }] }

async function setUp(count = 3) {
  const stack = new AsyncDisposableStack()
  const database = stack.use(await createTestDatabase())
  const handle = stack.use(await connect({ connection: database.address, poolSize: 6 }))
  await addPlaces(handle.db)
  const seeds = Array.from({ length: count }, (_, at) => ({
    name: `ws-${at}`,
    site: at === 0 ? 'york' : 'leeds',
    roles: [],
    tags: [],
    facts: {},
  }))
  const devices = await addDevices(handle.db, seeds)
  const call = { db: handle.db, actor: keeper, now }
  return { handle, db: handle.db, call, devices, [Symbol.asyncDispose]: async () => await stack.disposeAsync() }
}

function aReceipt(deviceId: number, seq: number, change: Partial<InstallReceipt> = {}): InstallReceipt {
  const after = change.after === undefined ? '12.0.0' : change.after
  return {
    deviceId,
    packageName: 'salesdesk',
    before: null,
    after,
    version: after ?? '12.0.0',
    digest: `sha256:${'1'.repeat(64)}`,
    modules: ['core'],
    receiptId: `${deviceId}/${seq}/salesdesk`,
    release: 'REL-0001',
    at: now,
    ...change,
  }
}

function valueOf<T>(answer: Answer<T>): T {
  if (!answer.ok) throw new Error(JSON.stringify(answer.error))
  return answer.value
}

test('each receipt gives exactly one update, however often and however many at once it comes', async () => {
  await using scope = await setUp(5)
  const receipts = scope.devices.map((device) => aReceipt(device.id, 1))
  const apply = async (rows: readonly InstallReceipt[]) =>
    await scope.db.transaction().execute(async (tx) => await applyInstallReceipts(tx, rows))
  const counts = await Promise.all([
    apply(receipts),
    apply(receipts),
    apply(receipts.toReversed()),
    apply([...receipts, ...receipts]),
  ])
  expect(counts.reduce((sum, one) => sum + one, 0)).toBe(5)
  const { items } = await listHistory(scope.call, { release: 'REL-0001', limit: 100 })
  expect(items).toHaveLength(5)
  expect(new Set(items.map((item) => item.source)).size).toBe(5)
  expect(items[0]).toMatchObject({
    change: 'installed',
    package: 'salesdesk',
    before: null,
    after: { version: '12.0.0' },
    item: { class: 'device' },
  })
})

test('a receipt of a transaction that does not commit leaves nothing', async () => {
  await using scope = await setUp(1)
  const failing = scope.db.transaction().execute(async (tx) => {
    await applyInstallReceipt(tx, aReceipt(scope.devices[0]!.id, 1))
    throw new Error('the disk is full')
  })
  await expect(failing).rejects.toThrow('the disk is full')
  expect((await listHistory(scope.call, { limit: 10 })).items).toEqual([])
  expect(await packagesOfDevice(scope.db, scope.devices[0]!.id)).toEqual([])
})

test('the CMDB follows updates, confirmations and removals, and keeps all of them', async () => {
  await using scope = await setUp(1)
  const device = scope.devices[0]!
  await applyInstallReceipts(scope.db, [
    aReceipt(device.id, 1),
    aReceipt(device.id, 2, { before: '12.0.0', after: '12.1.0' }),
    aReceipt(device.id, 3, { before: '12.1.0', after: '12.1.0' }),
  ])
  expect(await packagesOfDevice(scope.db, device.id)).toMatchObject([
    { name: 'salesdesk', version: '12.1.0', release: 'REL-0001', modules: ['core'] },
  ])
  await applyInstallReceipt(scope.db, aReceipt(device.id, 4, { before: '12.1.0', after: null }))
  expect(await packagesOfDevice(scope.db, device.id)).toEqual([])
  const { items } = await listHistory(scope.call, { deviceId: device.keyId as DeviceId, limit: 10 })
  expect(items.map((item) => item.change)).toEqual(['removed', 'confirmed', 'updated', 'installed'])
  await expect(scope.db.deleteFrom('ci_history').execute()).rejects.toThrow('append-only')
})

test('many receipts cost as many statements as one', async () => {
  await using scope = await setUp(40)
  const cost = async (rows: readonly InstallReceipt[]) => {
    using counted = countStatements(scope.handle)
    await applyInstallReceipts(scope.db, rows)
    return counted.count
  }
  const one = await cost([aReceipt(scope.devices[0]!.id, 1)])
  const many = await cost(scope.devices.slice(1).map((device) => aReceipt(device.id, 1)))
  expect(many).toBe(one)
  expect(many).toBeLessThanOrEqual(6)
})

test('an item shows what it runs, and software shows which devices run it, to who may see them', async () => {
  await using scope = await setUp(3)
  await applyInstallReceipts(
    scope.db,
    scope.devices.map((device) => aReceipt(device.id, 1)),
  )
  const { items } = await listItems(scope.call, { class: 'software', limit: 10 })
  expect(items).toMatchObject([{ name: 'salesdesk 12.0.0', state: 'in-use' }])
  expect(valueOf(await getItem(scope.call, items[0]!.id))).toMatchObject({
    incomingTotal: 3,
    attributes: { version: '12.0.0' },
  })
  const inYork = {
    ...scope.call,
    actor: { ...keeper, grants: [{ role: 'configuration-manager' as const, site: siteIdOf('york') }] },
  }
  expect(valueOf(await getItem(inYork, items[0]!.id))).toMatchObject({ incomingTotal: 1 })
  const local = await listItems(inYork, { class: 'device', limit: 10 })
  expect(local.items.map((item) => item.name)).toEqual(['ws-0'])
  const device = valueOf(await getItem(inYork, local.items[0]!.id))
  expect(device.outgoing).toMatchObject([{ kind: 'runs', item: { name: 'salesdesk 12.0.0' } }])
  expect((await listHistory(inYork, { limit: 10 })).items).toHaveLength(1)
})

test('drift appears when the inventory says other than the CMDB, keeps its beginning, and ends with a new install', async () => {
  await using scope = await setUp(2)
  const [one, two] = scope.devices
  await applyInstallReceipts(scope.db, [aReceipt(one!.id, 1), aReceipt(two!.id, 1)])
  let reports = 0
  const report = async (deviceId: number, facts: Record<string, string>, at: Temporal.Instant) => {
    reports += 1
    await updateFacts(scope.db, {
      deviceId,
      facts,
      factsHash: String(reports).padStart(64, '0'),
      agentVersion: '1',
      at,
    })
  }
  await report(one!.id, { 'package.salesdesk': '12.0.0' }, now)
  expect((await listDrift(scope.call, { limit: 10 })).items).toEqual([])
  await report(one!.id, { 'package.salesdesk': '11.9' }, now.add({ hours: 1 }))
  await report(two!.id, { 'package.vim': '9' }, now.add({ hours: 1 }))
  await report(one!.id, { 'package.salesdesk': '11.8' }, now.add({ hours: 2 }))
  const since = now.add({ hours: 1 }).toString()
  expect((await listDrift(scope.call, { limit: 10 })).items).toMatchObject([
    { device: 'ws-0', kind: 'other-version', expected: '12.0.0', found: '11.8', since },
    { device: 'ws-1', kind: 'missing', expected: '12.0.0', found: null, since },
  ])
  const page = await listDrift(scope.call, { limit: 1 })
  expect((await listDrift(scope.call, { limit: 1, after: page.next })).items).toMatchObject([{ device: 'ws-1' }])
  await applyInstallReceipt(scope.db, aReceipt(one!.id, 2, { before: '11.8' }))
  expect((await listDrift(scope.call, { limit: 10 })).items).toMatchObject([{ device: 'ws-1' }])
})

test('a baseline before and one after tell exactly what a release changed', async () => {
  await using scope = await setUp(3)
  const [one, two] = scope.devices
  await applyInstallReceipts(scope.db, [aReceipt(one!.id, 1, { after: '11.0' }), aReceipt(two!.id, 1)])
  const kept = valueOf(await keepBaseline(scope.call, { label: 'before', query: 'site:york or name:ws-1' }))
  expect(kept).toMatchObject({ devices: 2, entries: 2, scope: 'site:york or name:ws-1' })
  await applyInstallReceipt(scope.db, aReceipt(one!.id, 2, { before: '11.0' }))
  const ids = [one!.id, two!.id]
  const after = await takeBaseline(scope.db, {
    label: 'after',
    of: { deviceIds: ids },
    release: 'REL-0001',
    madeBy: 'Bascule',
    at: now.add({ hours: 1 }),
  })
  const expected = {
    total: 1,
    items: [{ deviceId: one!.keyId, device: 'ws-0', package: 'salesdesk', before: '11.0', after: '12.0.0' }],
  }
  expect(valueOf(await differences(scope.db, kept.id, after.id))).toEqual(expected)
  expect(valueOf(await differences(scope.db, kept.id, undefined))).toEqual(expected)
  expect(valueOf(await differences(scope.db, after.id, undefined))).toEqual({ total: 0, items: [] })
  const again = await takeBaseline(scope.db, {
    label: 'again',
    of: { deviceIds: ids },
    madeBy: 'Bascule',
    at: now.add({ hours: 2 }),
  })
  expect(again.sha256).toBe(after.sha256)
  expect((await listBaselines(scope.db, { limit: 10 })).items.map((baseline) => baseline.label)).toEqual([
    'again',
    'after',
    'before',
  ])
  expect((await listBaselines(scope.db, { release: 'REL-0001', limit: 10 })).items).toHaveLength(1)
})
