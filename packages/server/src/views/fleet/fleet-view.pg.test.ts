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
import { countRefusals, listFleet, listFleetAnchors, type FleetFilter } from './fleet-view.ts'

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

test('each device stands with its model and with what the CMDB says it runs, by name', async () => {
  await sql`update device set facts = facts || '{"hardware.model": "Desk 5"}' where id = 5`.execute(world.db)
  await sql`
    with item as (
      insert into ci (id, class, key, name, device_id, since_at)
      select gen_random_uuid(), 'device', key_id, name, id, now() from device where id = 5
      on conflict (class, key) do update set name = excluded.name returning id),
    software as (
      insert into ci (id, class, key, name, since_at)
      values (gen_random_uuid(), 'software', 'any', 'any', now()) returning id)
    insert into ci_relation (from_id, kind, slot, to_id, attributes, since_at)
    select item.id, 'runs', slot, software.id, jsonb_build_object('version', version), now()
    from item, software, (values ('till', '4.2.0'), ('desk', '1.0.0')) runs (slot, version)`.execute(world.db)
  const page = await listFleet(call, { query: 'name:ws-000005 or name:ws-000006', order: 'name', limit: 10 })
  if (!page.ok) throw new Error(JSON.stringify(page.error))
  expect(page.value.items.map(({ model, software }) => [model, software])).toEqual([
    [
      'Desk 5',
      [
        { name: 'desk', version: '1.0.0' },
        { name: 'till', version: '4.2.0' },
      ],
    ],
    [null, []],
  ])
})

test('devices that refuse are counted by the check that refuses, can be filtered, and say why in their row', async () => {
  const refuse = async (device: number, code: string, rule: string, sentence: string) =>
    await sql`update job set refusal_code = ${code}, refusal_rule = ${rule}, sentence = ${sentence}, state_since = now()
      where device_id = ${device}`.execute(world.db)
  await refuse(3, 'QUORUM', 'quorum-is-counted-again', 'Signed by 1 of 2 keys.')
  await refuse(4, 'QUORUM', 'quorum-is-counted-again', 'Signed by 1 of 2 keys.')
  await refuse(2, 'WITHDRAWN', 'stop-list-is-silent', 'It was stopped.')
  const groups = [
    { code: 'QUORUM', rule: 'quorum-is-counted-again', devices: 2, sentence: 'Signed by 1 of 2 keys.' },
    { code: 'WITHDRAWN', rule: 'stop-list-is-silent', devices: 1, sentence: 'It was stopped.' },
  ]
  expect(await countRefusals(call)).toEqual({ ok: true, value: groups })
  expect(await countRefusals(call, release)).toEqual({ ok: true, value: groups })
  expect(await namesOf({ refusal: 'QUORUM' })).toEqual(['ws-000003', 'ws-000004'])
  expect(await namesOf({ refusal: 'any', release })).toEqual(['ws-000002', 'ws-000003', 'ws-000004'])
  expect(await namesOf({ refusal: 'any', work: 'failed' })).toEqual(['ws-000002'])
  const page = await listFleet(call, { query: 'name:ws-000003', order: '', limit: 1 })
  expect(page.ok && page.value.items[0]?.work?.refusal).toEqual({ code: 'QUORUM', rule: 'quorum-is-counted-again' })
})

test('who sees no devices is told of no refusals', async () => {
  const nobody = { ...call, actor: { ...call.actor, grants: [] } }
  expect(await countRefusals(nobody)).toEqual({ ok: true, value: [] })
})
