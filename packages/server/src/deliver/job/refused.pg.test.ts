import type { AuthorityRefused, JobStatus } from '@bascule/contract/device/protocol.ts'
import { expect, onTestFinished, test } from 'vitest'
import { listJobs } from '#/views/releases/job-view.ts'
import { viewRollout } from '#/views/releases/rollout-view.ts'
import { commitReports } from '../receipt/commit-reports.ts'
import { aReport, aRollout, addDevices, createDeliveryWorld, startOfTests as now } from '../testing/delivery-world.ts'
import { followSteps } from './follow-steps.ts'
import { offerJobs } from './offer-jobs.ts'

const board: AuthorityRefused = { code: 'BOARD', rule: 'board-is-the-source' }
const expired: AuthorityRefused = { code: 'EXPIRED', rule: 'authority-is-fresh' }

async function aScene(devices = 1) {
  const world = await createDeliveryWorld()
  onTestFinished(() => world[Symbol.asyncDispose]())
  await addDevices(world.db, devices)
  const { rolloutId, releaseId } = await aRollout(world, [{}])
  await world.reconcile(rolloutId)
  const ids = Array.from({ length: devices }, (_, at) => at + 1)
  const work = [{ rolloutId, phase: 1, action: 'install' } as const]
  await offerJobs(
    world.assignments,
    ids.map((deviceId) => ({ deviceId, work })),
    now,
  )
  const rows = await world.db.selectFrom('job').select(['id', 'device_id']).orderBy('device_id').execute()
  const jobs = rows.map(({ id }) => id)
  const stand = async (deviceId: number, status: Omit<JobStatus, 'id'>) =>
    await followSteps(world.db, [{ deviceId, jobs: [{ id: String(jobs[deviceId - 1]), ...status }] }], now)
  const refusals = async () =>
    (await listJobs(world.db, { releaseId, limit: 10 })).items.map(({ refusal, sentence }) => [refusal, sentence])
  return { world, db: world.db, releaseId, jobs, stand, refusals }
}

function waiting(refusal: AuthorityRefused, detail: string): Omit<JobStatus, 'id'> {
  const wait = { reason: 'gate', detail, since: now.toString(), wakesOn: 'newer metadata', refusal } as const
  return { step: 'precheck', wait }
}

test('why a device refuses stands on its job as it says it, and is gone when the job goes on', async () => {
  const { stand, refusals } = await aScene()
  await stand(1, waiting(board, 'desk.sales-desk does not list the release.'))
  expect(await refusals()).toEqual([[board, 'desk.sales-desk does not list the release.']])
  await stand(1, waiting(expired, 'The metadata ended.'))
  expect(await refusals()).toEqual([[expired, 'The metadata ended.']])
  await stand(1, { step: 'downloading' })
  expect(await refusals()).toEqual([[null, 'Downloads.']])
})

test('a refusal that needs a person comes with a report, and a retry begins without it', async () => {
  const { db, jobs, refusals } = await aScene()
  const { report, ...arrived } = aReport(1, jobs[0] ?? 0, 1, 'needs-admin')
  const stuck = { reason: 'trust', detail: 'The root is not the one that was pinned.', refusal: board } as const
  await commitReports(db, [{ ...arrived, report: { ...report, stuck }, sentence: stuck.detail }], now)
  expect(await refusals()).toEqual([[board, stuck.detail]])
  await commitReports(db, [aReport(1, jobs[0] ?? 0, 2, 'committed')], now)
  expect((await refusals())[0]?.[0]).toBeNull()
})

test('refusals by another check are another cause, and the list of devices can be narrowed to one code', async () => {
  const { world, releaseId, stand } = await aScene(4)
  await stand(1, waiting(board, 'Not listed.'))
  await stand(2, waiting(board, 'Not listed.'))
  await stand(3, waiting(expired, 'Ended.'))
  const nobody = { notStarted: 0, inProgress: 0, blocked: 0, inFlight: 0 }
  const view = await viewRollout({ db: world.db, countSilent: () => nobody }, releaseId, now)
  expect(view?.causes.map(({ refusal, devices }) => [refusal?.code, devices])).toEqual([
    ['BOARD', 2],
    ['EXPIRED', 1],
  ])
  const listed = async (refusal: string) =>
    (await listJobs(world.db, { releaseId, refusal, limit: 10 })).items.map(({ device }) => device)
  expect(await listed('BOARD')).toEqual(['ws-000001', 'ws-000002'])
  expect(await listed('any')).toEqual(['ws-000001', 'ws-000002', 'ws-000003'])
})
