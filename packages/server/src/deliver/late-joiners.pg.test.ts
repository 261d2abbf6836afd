import { sql } from 'kysely'
import { expect, onTestFinished, test } from 'vitest'
import { addPlaces, orgUnitIdOf, siteIdOf } from '#/estate/testing/fleet-of.ts'
import { startTestServer } from '#/platform/test/test-server.ts'
import { addDevices, addLibrary } from './testing/delivery-world.ts'

async function aFleet(devices: number) {
  const server = await startTestServer()
  onTestFinished(() => server[Symbol.asyncDispose]())
  const { db } = server
  await addPlaces(db)
  await addLibrary(db)
  await addDevices(db, devices, false)
  await db
    .updateTable('device')
    .set({ site_id: siteIdOf('leeds') })
    .where('id', '=', 1)
    .execute()
  await server.services.fleet.refresh('all')
  const ann = await server.signIn('Ann', { role: 'release-manager' }, { role: 'configuration-manager' })
  const plan = async (query: string, mode: 'dynamic' | 'frozen') =>
    (
      await ann.ask('POST', '/releases', {
        title: 'Sales Desk',
        version: '2.0.0',
        productLine: 'sales-desk',
        packages: [{ name: 'salesdesk', version: '2.0.0' }],
        audience: { query, mode },
        phases: [{ name: 'Everybody', query: '' }],
      })
    ).json<{ releaseId: string }>().releaseId
  const start = async (releaseId: string) =>
    expect((await ann.ask('POST', `/releases/${releaseId}/rollout/start`)).statusCode).toBe(200)
  const sizeOf = async (releaseId: string) => {
    const found = await db
      .selectFrom('phase')
      .innerJoin('rollout', 'rollout.id', 'phase.rollout_id')
      .select(['phase.size', 'phase.late_joiners'])
      .where('rollout.release_id', '=', releaseId)
      .executeTakeFirstOrThrow()
    return [found.size, found.late_joiners]
  }
  const assign = async (to: object, change: object) => {
    expect((await ann.ask('POST', '/devices/assign', { devices: to, change })).statusCode).toBe(200)
  }
  const keyOf = async (id: number) =>
    (await db.selectFrom('device').select('key_id').where('id', '=', id).executeTakeFirstOrThrow()).key_id
  return { db, plan, start, sizeOf, assign, keyOf }
}

test('a device joins a running rollout when a person moves it to where the rollout is, one by one or many at once', async () => {
  const { plan, start, sizeOf, assign, keyOf } = await aFleet(204)
  const dynamic = await plan('site:leeds or role:till or org:sales', 'dynamic')
  const frozen = await plan('site:leeds', 'frozen')
  await start(dynamic)
  await start(frozen)

  await assign({ deviceIds: [await keyOf(2)] }, { siteId: siteIdOf('leeds') })
  await expect.poll(() => sizeOf(dynamic)).toEqual([2, 1])
  await assign({ deviceIds: [await keyOf(3)] }, { roles: ['till'] })
  await expect.poll(() => sizeOf(dynamic)).toEqual([3, 2])
  await assign({ deviceIds: [await keyOf(4)] }, { orgUnitId: orgUnitIdOf('inside-sales') })
  await expect.poll(() => sizeOf(dynamic)).toEqual([4, 3])
  await assign({ query: '', except: [] }, { siteId: siteIdOf('leeds') })
  await expect.poll(() => sizeOf(dynamic), { timeout: 30_000 }).toEqual([204, 203])
  expect(await sizeOf(frozen)).toEqual([1, 0])
})

test('a device that is moved while a rollout starts, after its devices were counted, joins it too', async () => {
  const { db, plan, start, sizeOf, assign, keyOf } = await aFleet(3)
  const release = await plan('site:leeds', 'dynamic')
  const starting = await db.transaction().execute(async (tx) => {
    // The start asks who belongs to it first, and then for its number, which waits here.
    await sql`select 1 from product_line for update`.execute(tx)
    const begun = start(release)
    const waiting = sql`select 1 from pg_locks where not granted`
    await expect.poll(async () => (await waiting.execute(db)).rows.length).toBeGreaterThan(0)
    await assign({ deviceIds: [await keyOf(2)] }, { siteId: siteIdOf('leeds') })
    return { begun }
  })
  await starting.begun
  await expect.poll(() => sizeOf(release)).toEqual([2, 1])
})
