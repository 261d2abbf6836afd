import { expect, onTestFinished, test } from 'vitest'
import { commitReports } from '#/deliver/receipt/commit-reports.ts'
import { grantInstalls } from '#/deliver/job/grant-installs.ts'
import { offerJobs } from '#/deliver/job/offer-jobs.ts'
import {
  aReport,
  aRollout,
  addDevices,
  createDeliveryWorld,
  startOfTests as now,
} from '#/deliver/testing/delivery-world.ts'
import { findRelease } from '#/plan/release/release.service.ts'
import { viewRelease } from './release-view.ts'

test('steps that lie behind say when they were reached, and one that was left out has no time', async () => {
  const world = await createDeliveryWorld()
  onTestFinished(() => world[Symbol.asyncDispose]())
  await addDevices(world.db, 1)
  const { rolloutId, releaseId } = await aRollout(world, [{}])
  await world.reconcile(rolloutId)
  const lifecycle = async () => {
    const record = await findRelease(world.db, releaseId)
    if (!record) throw new Error('no release')
    const { lifecycle: steps } = await viewRelease(world.db, record)
    return Object.fromEntries(steps.map(({ key, status, since }) => [key, [status, since]]))
  }
  expect(await lifecycle()).toMatchObject({
    plan: ['done', now.toString()],
    'build-and-test': ['done', null],
    rollout: ['now', now.toString()],
    'early-life': ['ahead', null],
  })

  const later = now.add({ hours: 2 })
  await offerJobs(world.assignments, [{ deviceId: 1, work: [{ rolloutId, phase: 1, action: 'install' }] }], now)
  const job = await world.db.selectFrom('job').select('id').executeTakeFirstOrThrow()
  await grantInstalls(world.db, [{ deviceId: 1, jobId: job.id }], now)
  await commitReports(world.db, [aReport(1, job.id, 1, 'committed')], now)
  for (let step = 0; step < 4; step += 1) await world.reconcile(rolloutId, later)
  expect(await lifecycle()).toMatchObject({
    plan: ['done', now.toString()],
    acceptance: ['done', null],
    rollout: ['done', now.toString()],
    'early-life': ['now', later.toString()],
    review: ['ahead', null],
  })
})
