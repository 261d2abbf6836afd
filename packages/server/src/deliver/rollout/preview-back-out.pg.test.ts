import { expect, onTestFinished, test } from 'vitest'
import { grantInstalls } from '../job/grant-installs.ts'
import { offerJobs } from '../job/offer-jobs.ts'
import { commitReports } from '../receipt/commit-reports.ts'
import { aReport, aRollout, addDevices, createDeliveryWorld, startOfTests as now } from '../testing/delivery-world.ts'
import { previewBackOut } from './preview-back-out.ts'

async function aScene(devices: number) {
  const world = await createDeliveryWorld()
  onTestFinished(() => world[Symbol.asyncDispose]())
  await addDevices(world.db, devices)
  const { rolloutId, releaseId } = await aRollout(world, [{ query: 'name:ws-000001' }, {}])
  await world.reconcile(rolloutId)
  const install = async (device: number, phase: number, before: string | null) => {
    await offerJobs(world.assignments, [{ deviceId: device, work: [{ rolloutId, phase, action: 'install' }] }], now)
    const job = await world.db.selectFrom('job').select('id').where('device_id', '=', device).executeTakeFirstOrThrow()
    await grantInstalls(world.db, [{ deviceId: device, jobId: job.id }], now)
    await commitReports(world.db, [aReport(device, job.id, 1, 'committed', before)], now)
    await world.reconcile(rolloutId)
  }
  const preview = async (phase?: number) => await previewBackOut(world.db, releaseId, phase)
  return { install, preview }
}

test('a device without an earlier version is not promised to go back to one', async () => {
  const { install, preview } = await aScene(3)
  await install(1, 1, null)
  await install(2, 2, '1.0.0')
  expect(await preview()).toMatchObject({
    value: {
      verified: 2,
      leftWithout: 1,
      notReached: 1,
      consequences: [
        '1 device returns to the version from before at the next check-in.',
        '1 device had no earlier version and will be without this software.',
        'No further device gets this release; the release ends as backed out.',
      ],
    },
  })
})

test('of one phase only its own devices are spoken of', async () => {
  const { install, preview } = await aScene(3)
  await install(1, 1, null)
  await install(2, 2, '1.0.0')
  const answer = await preview(2)
  expect(answer).toMatchObject({ value: { verified: 1, leftWithout: 0 } })
  expect(answer.ok && answer.value.consequences.join(' ')).not.toContain('without this software')
})
