import type { Role } from '@bascule/domain/estate/role.ts'
import type { ReleaseId } from '@bascule/domain/lib/ids.ts'
import { expect, onTestFinished, test } from 'vitest'
import { addPlaces, siteIdOf } from '#/estate/testing/fleet-of.ts'
import type { Call } from '#/platform/http/os.ts'
import { viewRollout } from '#/views/releases/rollout-view.ts'
import { grantInstalls } from './job/grant-installs.ts'
import { excuseDevice, retryJobs } from './job/job.service.ts'
import { offerJobs } from './job/offer-jobs.ts'
import { acceptPhase, pausePhase, resumePhase } from './phase/phase.service.ts'
import { commitReports } from './receipt/commit-reports.ts'
import { countSilentOf } from './rollout/count-silent.ts'
import { acceptResidual, backOut, pauseRollout, resumeRollout } from './rollout/rollout.service.ts'
import { createRunningRollouts } from './rollout/running-rollouts.ts'
import { startRollout } from './rollout/start-rollout.ts'
import {
  aReport,
  aRollout,
  addDevices,
  createDeliveryWorld,
  deviceKey,
  startOfTests as now,
  type DeliveryWorld,
  type Outcome,
  type WantedPhase,
} from './testing/delivery-world.ts'

interface Scene {
  readonly world: DeliveryWorld
  readonly rolloutId: number
  readonly releaseId: ReleaseId
}

async function aScene(devices: number, phases: readonly WantedPhase[] = [{}]): Promise<Scene> {
  const world = await createDeliveryWorld()
  onTestFinished(() => world[Symbol.asyncDispose]())
  await addDevices(world.db, devices)
  const scene = { world, ...(await aRollout(world, phases)) }
  await world.reconcile(scene.rolloutId)
  return scene
}

/** The device takes its job, is let through where the gate allows, and reports how it ended. */
async function finish({ world, rolloutId }: Scene, device: number, step: Outcome, phase = 1): Promise<void> {
  await offerJobs(world.assignments, [{ deviceId: device, work: [{ rolloutId, phase, action: 'install' }] }], now)
  const { id } = await world.db.selectFrom('job').select('id').where('device_id', '=', device).executeTakeFirstOrThrow()
  const [grant] = await grantInstalls(world.db, [{ deviceId: device, jobId: id }], now)
  expect(grant).toEqual({ proceed: true })
  await commitReports(world.db, [aReport(device, id, 1, step)], now)
}

async function lookAt({ world, rolloutId, releaseId }: Scene) {
  await world.reconcile(rolloutId)
  const countSilent = () => ({ notStarted: 0, inProgress: 0, blocked: 0 })
  const view = await viewRollout({ db: world.db, countSilent }, releaseId, now)
  if (!view) throw new Error('no view')
  return { state: view.state, phases: view.phases.map((phase) => phase.state), next: view.next }
}

function as({ world }: Scene, role: Role, site?: string): Call {
  const grants = [site === undefined ? { role } : { role, site: siteIdOf(site) }]
  return { ...world.call, actor: { ...world.call.actor, grants } }
}

test('what reaches every device needs a role that holds everywhere, what reaches one device a role for its place', async () => {
  const scene = await aScene(2)
  const { db } = scene.world
  await addPlaces(db)
  await db
    .updateTable('device')
    .set({ site_id: siteIdOf('leeds') })
    .where('id', '=', 1)
    .execute()
  await db
    .updateTable('device')
    .set({ site_id: siteIdOf('york') })
    .where('id', '=', 2)
    .execute()
  const { releaseId } = scene
  const call = as(scene, 'operations', 'leeds')
  const phase = { releaseId, phase: 1, reason: 'because' }
  const wanted = { reason: 'because', confirm: 'Sales Desk' }
  const answers = [
    await startRollout(call, scene.world.boards.repository, releaseId),
    await pauseRollout(call, releaseId, undefined),
    await resumeRollout(call, releaseId, 'because'),
    await backOut(call, releaseId, wanted),
    await backOut(call, releaseId, { ...wanted, phase: 1 }),
    await acceptResidual(call, releaseId, 'because'),
    await pausePhase(call, phase),
    await resumePhase(call, phase),
    await acceptPhase(call, phase),
    await retryJobs(call, releaseId, [deviceKey(1).keyId, deviceKey(2).keyId]),
    await excuseDevice(call, releaseId, deviceKey(2).keyId, 'because'),
  ]
  expect(answers.map((one) => (one.ok ? 'done' : one.error))).toEqual(
    [
      'rollout.start',
      'rollout.pause',
      'rollout.start',
      'rollout.back-out',
      'rollout.back-out',
      'rollout.start',
      'rollout.pause',
      'rollout.start',
      'rollout.start',
      'job.retry',
      'job.retry',
    ].map((permission) => ({ kind: 'forbidden', permission })),
  )
  expect(await excuseDevice(call, releaseId, deviceKey(1).keyId, 'lost')).toMatchObject({ ok: true })
  expect(await pauseRollout(as(scene, 'operations'), releaseId, undefined)).toMatchObject({ ok: true })
})

test('a failed phase goes on only with a larger budget, and the ledger tells both budgets and what the phase passed', async () => {
  const scene = await aScene(3, [{ failureBudget: 1 }])
  await finish(scene, 1, 'rolled-back')
  expect(await lookAt(scene)).toMatchObject({ state: 'paused', phases: ['failed'] })
  const { call } = scene.world
  const goOn = { releaseId: scene.releaseId, phase: 1, reason: 'known' }
  expect(await resumePhase(call, goOn)).toMatchObject({ error: { refusal: { rule: 'failure-budget-spent' } } })
  expect(await resumePhase(call, { ...goOn, failureBudget: 2 })).toMatchObject({ ok: true })
  expect(await lookAt(scene)).toMatchObject({ state: 'running', phases: ['open'] })
  const facts = await scene.world.db.selectFrom('ledger').select(['did', 'before', 'after']).orderBy('id').execute()
  expect(facts.find(({ did }) => did === 'phase.failed')).toMatchObject({ after: { through: ['evaluating'] } })
  expect(
    facts.findLast(({ did, before }) => did === 'phase.open' && JSON.stringify(before).includes('failed')),
  ).toMatchObject({
    before: { state: 'failed', rollout: 'paused', failureBudget: 1 },
    after: { state: 'open', rollout: 'running', failureBudget: 2, through: ['held'] },
  })
})

test('a phase that was left behind and fails late pauses the rollout, keeps its state, and goes on with a larger budget', async () => {
  const scene = await aScene(4, [
    { query: 'name:ws-000001 or name:ws-000002', advanceAtPermille: 500, failureBudget: 1 },
    {},
  ])
  await finish(scene, 1, 'committed')
  expect(await lookAt(scene)).toMatchObject({ phases: ['succeeded', 'open'] })
  await finish(scene, 2, 'rolled-back')
  expect(await lookAt(scene)).toMatchObject({ state: 'paused', phases: ['succeeded', 'open'] })
  const facts = await scene.world.db.selectFrom('ledger').select('did').execute()
  expect(facts.map(({ did }) => did)).not.toContain('phase.failed')
  const more = { releaseId: scene.releaseId, phase: 1, reason: 'known', failureBudget: 5 }
  expect(await resumePhase(scene.world.call, more)).toMatchObject({ ok: true })
  expect(await lookAt(scene)).toMatchObject({ state: 'running', phases: ['succeeded', 'open'] })
})

test('a rollout that left silent devices behind completes with a residual, and serves one that comes home late', async () => {
  const scene = await aScene(2, [{ advanceAtPermille: 500, soakSeconds: 0 }])
  await finish(scene, 1, 'committed')
  await lookAt(scene)
  expect(await acceptResidual(scene.world.call, scene.releaseId, 'gone')).toMatchObject({ ok: true })
  expect(await lookAt(scene)).toMatchObject({ state: 'completed-with-residual', next: 'The rollout is over.' })
  await finish(scene, 2, 'committed')
  const job = await scene.world.db
    .selectFrom('job')
    .select('state')
    .where('device_id', '=', 2)
    .executeTakeFirstOrThrow()
  expect(job.state).toBe('succeeded')
})

test('devices that were never reached make a completed rollout one with a residual', async () => {
  const scene = await aScene(2, [{ advanceAtPermille: 500 }])
  await finish(scene, 1, 'committed')
  await lookAt(scene)
  expect(await excuseDevice(scene.world.call, scene.releaseId, deviceKey(2).keyId, 'in repair')).toMatchObject({
    ok: true,
  })
  expect(await lookAt(scene)).toMatchObject({ state: 'completed-with-residual' })
})

test('a rollout of which no phase has begun can be ended, and one that waits can be ended after a phase went back', async () => {
  const scene = await aScene(2, [{ query: 'name:ws-000001' }, {}])
  await finish(scene, 1, 'rolled-back')
  const { call } = scene.world
  await backOut(call, scene.releaseId, { phase: 1, reason: 'bad', confirm: 'Sales Desk' })
  expect(await lookAt(scene)).toMatchObject({ state: 'paused', phases: ['backed-out', 'waiting'] })
  expect(await backOut(call, scene.releaseId, { reason: 'bad', confirm: 'Sales Desk' })).toMatchObject({ ok: true })
  expect(await lookAt(scene)).toMatchObject({ state: 'backed-out', phases: ['backed-out', 'waiting'] })
})

test('a device that was revoked while the rollout runs counts as quiet, until a person excuses it', async () => {
  const scene = await aScene(2)
  const running = createRunningRollouts(scene.world.db)
  await running.load()
  const fleet = { onChange: () => () => undefined, isSilent: () => false, isGone: (index: number) => index === 2 }
  const countSilent = countSilentOf({ db: scene.world.db, fleet, running })
  expect(await countSilent(scene.rolloutId, 1, now)).toEqual({ notStarted: 1, inProgress: 0, blocked: 0, inFlight: 0 })
  await excuseDevice(scene.world.call, scene.releaseId, deviceKey(2).keyId, 'revoked')
  expect(await countSilent(scene.rolloutId, 1, now)).toMatchObject({ notStarted: 0, inProgress: 0, blocked: 0 })
})

test('what the devices of a phase run is kept when it opens and when it is left behind, and not again after a pause', async () => {
  const scene = await aScene(2, [{ query: 'name:ws-000001' }, {}])
  const phase = { releaseId: scene.releaseId, phase: 1, reason: 'look' }
  await pausePhase(scene.world.call, phase)
  await resumePhase(scene.world.call, phase)
  await finish(scene, 1, 'committed')
  expect(await lookAt(scene)).toMatchObject({ phases: ['succeeded', 'open'] })
  const kept = await scene.world.db
    .selectFrom('baseline')
    .select(['label', 'devices', 'entries'])
    .orderBy('label')
    .execute()
  expect(kept).toEqual([
    { label: 'REL-0001, phase 1 "Phase 1": after', devices: 1, entries: 1 },
    { label: 'REL-0001, phase 1 "Phase 1": before', devices: 1, entries: 0 },
    { label: 'REL-0001, phase 2 "Phase 2": before', devices: 1, entries: 0 },
  ])
})
