import { expect, onTestFinished, test } from 'vitest'
import { addPlaces, orgUnitIdOf, siteIdOf } from '#/estate/testing/fleet-of.ts'
import type { ReleaseId } from '@bascule/domain/lib/ids.ts'
import { addDevices, addLibrary } from './testing/delivery-world.ts'
import { startSignedServer } from './testing/signed-server.ts'

async function aFleet(devices: number) {
  const server = await startSignedServer()
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
    ).json<{ releaseId: ReleaseId }>().releaseId
  const actor = { kind: 'person', id: 'ada', name: 'Ada Keeper', grants: [] } as const
  const authorise = async (releaseId: ReleaseId) => {
    const { blobs, now } = server.services
    await server.boards.authorise({ blobs, call: { db, actor, now: now() } }, releaseId)
  }
  const start = async (releaseId: ReleaseId) =>
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
  return { plan, authorise, start, sizeOf, assign, keyOf }
}

test('a device joins a running rollout when a person moves it to where the rollout is, one by one or many at once', async () => {
  const { plan, authorise, start, sizeOf, assign, keyOf } = await aFleet(204)
  const dynamic = await plan('site:leeds or role:till or org:sales', 'dynamic')
  const frozen = await plan('site:leeds', 'frozen')
  for (const release of [dynamic, frozen]) {
    await authorise(release)
    await start(release)
  }

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

test('a device that is moved after its devices were counted, before the rollout starts, joins it too', async () => {
  const { plan, authorise, start, sizeOf, assign, keyOf } = await aFleet(3)
  const release = await plan('site:leeds', 'dynamic')
  await authorise(release)
  await assign({ deviceIds: [await keyOf(2)] }, { siteId: siteIdOf('leeds') })
  await start(release)
  await expect.poll(() => sizeOf(release)).toEqual([2, 1])
})
