import { expect, test } from 'vitest'
import { addPlaces, orgUnitIdOf, siteIdOf } from '#/estate/testing/fleet-of.ts'
import { startTestServer } from '#/platform/test/test-server.ts'
import { addDevices, addLibrary } from './testing/delivery-world.ts'

test('a device joins a running rollout when a person moves it to where the rollout is, one by one or many at once', async () => {
  await using server = await startTestServer()
  const { db } = server
  await addPlaces(db)
  await addLibrary(db)
  await addDevices(db, 204, false)
  await db
    .updateTable('device')
    .set({ site_id: siteIdOf('leeds') })
    .where('id', '=', 1)
    .execute()
  await server.services.fleet.refresh('all')
  const ann = await server.signIn('Ann', { role: 'release-manager' }, { role: 'configuration-manager' })
  const start = async (query: string, mode: 'dynamic' | 'frozen') => {
    const { releaseId } = (
      await ann.ask('POST', '/releases', {
        title: 'Sales Desk',
        version: '2.0.0',
        productLine: 'sales-desk',
        packages: [{ name: 'salesdesk', version: '2.0.0' }],
        audience: { query, mode },
        phases: [{ name: 'Everybody', query: '' }],
      })
    ).json<{ releaseId: string }>()
    expect((await ann.ask('POST', `/releases/${releaseId}/rollout/start`)).statusCode).toBe(200)
    return releaseId
  }
  const dynamic = await start('site:leeds or role:till or org:sales', 'dynamic')
  const frozen = await start('site:leeds', 'frozen')
  const sizeOf = async (releaseId: string) => {
    const found = await db
      .selectFrom('phase')
      .innerJoin('rollout', 'rollout.id', 'phase.rollout_id')
      .select(['phase.size', 'phase.late_joiners'])
      .where('rollout.release_id', '=', releaseId)
      .executeTakeFirstOrThrow()
    return [found.size, found.late_joiners]
  }
  const assign = async (devices: object, change: object) => {
    expect((await ann.ask('POST', '/devices/assign', { devices, change })).statusCode).toBe(200)
  }
  const keyOf = async (id: number) =>
    (await db.selectFrom('device').select('key_id').where('id', '=', id).executeTakeFirstOrThrow()).key_id

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
