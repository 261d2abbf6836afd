import type { JobState } from '@bascule/domain/deliver/job.ts'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  addDevices,
  aRollout,
  createDeliveryWorld,
  type DeliveryWorld,
  startOfTests,
} from '#/deliver/testing/delivery-world.ts'
import type { DeviceCall } from '#/estate/device/device-list.service.ts'
import { createFleet } from '#/estate/device/fleet.ts'
import { listFleet, listFleetAnchors, type FleetFilter } from './fleet-view.ts'

let world: DeliveryWorld
let call: DeviceCall
let release: string
let older: number

beforeAll(async () => {
  world = await createDeliveryWorld()
  await addDevices(world.db, 30, false)
  const first = await aRollout(world, [{ inFlightMax: 50 }])
  release = first.releaseId
  older = first.rolloutId
  call = {
    ...world.call,
    fleet: createFleet({ database: world.handle, now: () => startOfTests, checkInSeconds: 60 }),
  }
  await giveJob(1, 'succeeded')
  await giveJob(2, 'failed-needs-human')
  await giveJob(3, 'installing')
  await giveJob(4, 'offered')
  // A device that came after the audience was frozen.
  await sql`insert into device (key_id, public_key, name, state, state_since, agent_version, enrolled_at)
    values (${'f'.repeat(64)}, ${'e'.repeat(64)}, 'ws-late', 'active', now(), '0.1.0', now())`.execute(world.db)
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
})

async function giveJob(deviceId: number, state: JobState): Promise<void> {
  await sql`insert into job (rollout_id, device_id, phase, action, state, state_since)
    values (${older}, ${deviceId}, 1, 'install', ${state}, now())`.execute(world.db)
}

async function namesOf(filter: Partial<FleetFilter>): Promise<string[]> {
  const page = await listFleet(call, { query: '', order: '', limit: 100, ...filter })
  if (!page.ok) throw new Error(JSON.stringify(page.error))
  return page.value.items.map((row) => row.name)
}

test('each device stands with its latest job, and one that was asked for nothing with none', async () => {
  const page = await listFleet(call, { query: 'name:ws-000002 or name:ws-000009', order: 'name', limit: 10 })
  if (!page.ok) throw new Error(JSON.stringify(page.error))
  expect(page.value.items.map(({ name, work }) => [name, work?.state, work?.release, work?.version])).toEqual([
    ['ws-000002', 'failed-needs-human', 'Sales Desk', '2.0.0'],
    ['ws-000009', undefined, undefined, undefined],
  ])
})

test('a group of work takes the devices that are in it now, together with the query', async () => {
  expect(await namesOf({ work: 'failed' })).toEqual(['ws-000002'])
  expect(await namesOf({ work: 'installing' })).toEqual(['ws-000003'])
  expect(await namesOf({ work: 'failed', query: 'name:ws-000003' })).toEqual([])
})

test('the groups of a release add up to its audience, which a device that came later is not in', async () => {
  const groups = ['verified', 'failed', 'installing', 'offered', 'not-started'] as const
  const sizes = await Promise.all(groups.map(async (work) => (await namesOf({ release, work })).length))
  expect(sizes).toEqual([1, 1, 1, 1, 26])
  expect(await namesOf({ release })).toHaveLength(30)
  expect(await namesOf({})).toContain('ws-late')
})

test('the anchors of a filtered list lead to the pages of the same list', async () => {
  const filter = { query: '', order: 'name', release, work: 'not-started' } as const
  const anchors = await listFleetAnchors(call, { ...filter, every: 10 })
  if (!anchors.ok) throw new Error(JSON.stringify(anchors.error))
  expect(anchors.value.total).toBe(26)
  const second = await listFleet(call, { ...filter, after: anchors.value.cursors[0], limit: 1 })
  expect(second.ok && second.value.items[0]?.name).toBe((await namesOf(filter))[10])
})

test('a release without a rollout has no devices to show, and that is said', async () => {
  expect(await listFleet(call, { query: '', order: '', limit: 10, release: 'REL-9999' })).toMatchObject({ ok: false })
})
