import type { Assignment } from '@bascule/contract/device/protocol.ts'
import { ReleasePlan } from '@bascule/contract/plan/release.ts'
import type { ReleaseId } from '@bascule/domain/lib/ids.ts'
import { authorise } from '@bascule/trust/client/authorise.ts'
import { expect, onTestFinished, test } from 'vitest'
import { createRelease, findRelease } from '#/plan/release/release.service.ts'
import { backOut } from '../rollout/rollout.service.ts'
import { startRollout } from '../rollout/start-rollout.ts'
import {
  addDevices,
  addLibrary,
  createDeliveryWorld,
  deviceKey,
  startOfTests as now,
  type DeliveryWorld,
} from '../testing/delivery-world.ts'
import { authorityOf, blobOf } from '../testing/verify-as-device.ts'
import { offerJobs } from './offer-jobs.ts'

async function aWorld(): Promise<DeliveryWorld> {
  const world = await createDeliveryWorld()
  onTestFinished(() => world[Symbol.asyncDispose]())
  await addDevices(world.db, 1)
  await addLibrary(world.db)
  return world
}

/** A release of the line that device 1 has installed. */
async function anInstalled(
  world: DeliveryWorld,
  mayRemove = true,
): Promise<{ releaseId: ReleaseId; rolloutId: number }> {
  const plan = ReleasePlan.parse({
    title: 'Sales Desk',
    version: '2.0.0',
    productLine: 'sales-desk',
    packages: [{ name: 'salesdesk', version: '2.0.0' }],
    audience: { query: 'os:linux' },
    phases: [{ name: 'Everybody' }],
    mayRemove,
  })
  const created = await createRelease(world.call, plan)
  if (!created.ok) throw new Error(JSON.stringify(created.error))
  await world.boards.authorise(world, created.value)
  expect(await startRollout(world.call, world.boards.repository, created.value)).toMatchObject({ ok: true })
  const { id: rolloutId } = await world.db
    .selectFrom('rollout')
    .select('id')
    .where('release_id', '=', created.value)
    .executeTakeFirstOrThrow()
  await world.reconcile(rolloutId)
  await offerJobs(world.assignments, [{ deviceId: 1, work: [{ rolloutId, phase: 1, action: 'install' }] }], now)
  await world.db.updateTable('job').set({ state: 'succeeded' }).where('rollout_id', '=', rolloutId).execute()
  await world.db.updateTable('phase_count').set({ state: 'succeeded' }).where('rollout_id', '=', rolloutId).execute()
  return { releaseId: created.value, rolloutId }
}

/** Takes the release back and asks, as the device does, whether what it is ordered then may be done. */
async function takeBack(world: DeliveryWorld, installed: ReleaseId, rolloutId: number, kept: ReleaseId | null) {
  const asked = await backOut(world.call, installed, { reason: 'bad', confirm: 'Sales Desk' })
  expect(asked).toMatchObject({ ok: true })
  await world.reconcile(rolloutId)
  await offerJobs(world.assignments, [{ deviceId: 1, work: [{ rolloutId, phase: 1, action: 'back-out' }] }], now)
  const { document } = await world.db.selectFrom('assignment').select('document').executeTakeFirstOrThrow()
  const assignment = document as Assignment
  const [[path, target] = []] = Object.entries(assignment.signed.targets).filter(
    ([, { custom }]) => custom.rollout === rolloutId,
  )
  if (path === undefined || target === undefined) throw new Error('nothing was ordered')
  const authority = await authorityOf(world.metadata())
  const answer = authorise({
    authority,
    assignment,
    jobId: target.custom.job,
    manifestBytes: await blobOf(world, target.hashes.sha256),
    deviceId: deviceKey(1).keyId,
    installed: await asInstalled(world, installed),
    kept: kept && (await asInstalled(world, kept)),
    at: now,
    memory: authority.memory,
  })
  return { path, action: target.custom.action, answer }
}

async function asInstalled({ db }: DeliveryWorld, releaseId: ReleaseId) {
  const found = await findRelease(db, releaseId)
  return { release: releaseId, counter: found?.counter ?? 0, manifestSha256: found?.manifest_sha256 ?? '' }
}

test('a device that had an earlier release of the line is ordered back to it, and finds that signed', async () => {
  const world = await aWorld()
  const first = await anInstalled(world)
  const second = await anInstalled(world)
  const { path, action, answer } = await takeBack(world, second.releaseId, second.rolloutId, first.releaseId)
  expect([path, action]).toEqual([`desk/sales-desk/normal/${second.releaseId}.json`, 'back-out'])
  expect(answer).toMatchObject({
    ok: true,
    value: { action: 'back-out', path: `desk/sales-desk/normal/${first.releaseId}.json` },
  })
})

test('a device that had nothing of the line before is ordered to remove it, where the board has signed that', async () => {
  const world = await aWorld()
  const { releaseId, rolloutId } = await anInstalled(world)
  const { action, answer } = await takeBack(world, releaseId, rolloutId, null)
  expect(action).toBe('remove')
  expect(answer).toMatchObject({ ok: true, value: { action: 'remove' } })
})

test('where the board has not signed that the software may leave, the device keeps it and says so', async () => {
  const world = await aWorld()
  const { releaseId, rolloutId } = await anInstalled(world, false)
  const { answer } = await takeBack(world, releaseId, rolloutId, null)
  expect(answer).toMatchObject({ ok: false, error: { code: 'REMOVE' } })
})
