import type { ReleaseId } from '@bascule/domain/lib/ids.ts'
import type { Report } from '@bascule/contract/device/protocol.ts'
import { sql } from 'kysely'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { grantInstalls } from './job/grant-installs.ts'
import { excuseDevice, retryJobs } from './job/job.service.ts'
import { offerJobs } from './job/offer-jobs.ts'
import { acceptPhase } from './phase/phase.service.ts'
import { commitReports } from './receipt/commit-reports.ts'
import { createLateJoiners, joinLate } from './rollout/late-joiners.ts'
import { backOut } from './rollout/rollout.service.ts'
import { createRunningRollouts } from './rollout/running-rollouts.ts'
import {
  aReport,
  aRollout,
  addDevices,
  countersOf,
  createDeliveryWorld,
  deviceKey,
  recount,
  startOfTests as now,
  type DeliveryWorld,
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

async function offer({ world, rolloutId }: Scene, device: number, action: 'install' | 'back-out' = 'install') {
  const offers = [{ deviceId: device, work: [{ rolloutId, phase: 1, action }] }]
  await offerJobs(world.assignments, offers, now)
  return await jobOf(world, device)
}

async function jobOf({ db }: DeliveryWorld, device: number) {
  return await db.selectFrom('job').selectAll().where('device_id', '=', device).executeTakeFirst()
}

async function say({ world }: Scene, device: number, job: number, seq: number, step: Report['step']): Promise<void> {
  await commitReports(world.db, [aReport(device, job, seq, step)], now)
}

/** The second device, as an active one like the first. */
async function addLateDevice(db: DeliveryWorld['db']): Promise<void> {
  await sql`insert into device (key_id, public_key, name, state, state_since, agent_version, facts, terms, enrolled_at)
    select ${deviceKey(2).keyId}, ${deviceKey(2).publicKey}, 'ws-late', state, state_since, agent_version, facts, terms, enrolled_at
    from device where id = 1`.execute(db)
}

async function takeBack({ world, releaseId }: Scene): Promise<void> {
  const asked = await backOut(world.call, releaseId, { reason: 'bad', confirm: 'Sales Desk' })
  expect(asked).toMatchObject({ ok: true })
}

async function statesOf({ world, rolloutId, releaseId }: Scene): Promise<string[]> {
  const phases = await world.db
    .selectFrom('phase')
    .select('state')
    .where('rollout_id', '=', rolloutId)
    .orderBy('ord')
    .execute()
  const rollout = await world.db
    .selectFrom('rollout')
    .select('state')
    .where('id', '=', rolloutId)
    .executeTakeFirstOrThrow()
  const release = await world.db
    .selectFrom('release')
    .select('state')
    .where('id', '=', releaseId)
    .executeTakeFirstOrThrow()
  return [...phases.map((phase) => phase.state), rollout.state, release.state]
}

test('the CMDB follows a device whose install ends after a back-out took the place of its job', async () => {
  const scene = await aScene(1)
  const first = await offer(scene, 1)
  await grantInstalls(scene.world.db, [{ deviceId: 1, jobId: first!.id }], now)
  await takeBack(scene)
  const second = await offer(scene, 1, 'back-out')
  expect(second).toMatchObject({ action: 'back-out', state: 'assigned' })
  await say(scene, 1, first!.id, 1, 'committed')
  const history = await scene.world.db.selectFrom('ci_history').select(['slot', 'change']).execute()
  expect(history).toEqual([{ slot: 'salesdesk', change: 'updated' }])
  expect(await jobOf(scene.world, 1)).toMatchObject({ id: second!.id, state: 'assigned' })
})

test('the CMDB follows an excused device that installs all the same, the count does not, and a back-out turns it around', async () => {
  const scene = await aScene(1)
  const job = await offer(scene, 1)
  expect(await excuseDevice(scene.world.call, scene.releaseId, deviceKey(1).keyId, 'lost')).toMatchObject({ ok: true })
  await say(scene, 1, job!.id, 1, 'committed')
  expect(await scene.world.db.selectFrom('ci_history').select('change').execute()).toEqual([{ change: 'updated' }])
  expect(await jobOf(scene.world, 1)).toMatchObject({ state: 'excused' })
  await takeBack(scene)
  expect(await offer(scene, 1, 'back-out')).toMatchObject({ action: 'back-out', state: 'assigned' })
})

test('a report with characters that the database cannot hold is stored with replacements, and the next ones are not held up', async () => {
  const scene = await aScene(1)
  const job = await offer(scene, 1)
  const odd = aReport(1, job!.id, 1, 'downloading')
  const report = { ...odd.report, notes: ['nul \u0000 and half \uD83D'] }
  await commitReports(
    scene.world.db,
    [{ ...odd, report, sentence: 'odd \u0000' }, aReport(1, job!.id, 2, 'committed')],
    now,
  )
  const rows = await scene.world.db.selectFrom('report').select(['seq', 'sentence', 'notes']).orderBy('seq').execute()
  expect(rows).toMatchObject([{ sentence: 'odd \uFFFD', notes: ['nul \uFFFD and half \uFFFD'] }, { seq: 2 }])
})

test('a report about the job of another device moves nothing and is not counted to its rollout', async () => {
  const scene = await aScene(2)
  const job = await offer(scene, 1)
  await say(scene, 2, job!.id, 1, 'committed')
  expect(await jobOf(scene.world, 1)).toMatchObject({ state: 'assigned', report_seq: 0 })
  expect(await scene.world.db.selectFrom('report').select('rollout_id').execute()).toEqual([{ rollout_id: null }])
})

test('a server that still remembers an open phase gives no device an install after the back-out', async () => {
  const scene = await aScene(2)
  await takeBack(scene)
  expect(await offer(scene, 1)).toBeUndefined()
  await scene.world.reconcile(scene.rolloutId)
  expect(await statesOf(scene)).toEqual(['backed-out', 'backed-out', 'backed-out'])
})

test('a second server turns around the devices that the first one told', async () => {
  const scene = await aScene(2)
  const second = createRunningRollouts(scene.world.db)
  await second.load()
  const job = await offer(scene, 1)
  await say(scene, 1, job!.id, 1, 'committed')
  await takeBack(scene)
  await second.reload(scene.rolloutId)
  expect(second.workFor(1)).toEqual([{ rolloutId: scene.rolloutId, phase: 1, action: 'back-out' }])
  expect(second.workFor(2)).toEqual([])
})

test('a rollout that ended while no notice came is forgotten', async () => {
  const scene = await aScene(1)
  const running = createRunningRollouts(scene.world.db)
  await running.load()
  await takeBack(scene)
  await scene.world.reconcile(scene.rolloutId)
  await running.load()
  expect(running.rolloutIds()).toEqual([])
})

test('a retry that commits while the device gets another assignment is not lost', async () => {
  const scene = await aScene(1, [{ failureBudget: 5 }])
  const job = await offer(scene, 1)
  await say(scene, 1, job!.id, 1, 'rolled-back')
  let retried = 0
  const signer = {
    // The retry comes while the signer is at work: the jobs were read before, the assignment is written after.
    signAssignments: async (items: Parameters<typeof scene.world.assignments.signer.signAssignments>[0]) => {
      if (retried === 0) {
        retried = 1
        const retry = retryJobs(scene.world.call, scene.releaseId, [deviceKey(1).keyId])
        onTestFinished(async () => void (await retry))
        await settledOrWaiting(scene.world, retry)
      }
      return await scene.world.assignments.signer.signAssignments(items)
    },
  }
  await offerJobs({ ...scene.world.assignments, signer }, [{ deviceId: 1, work: [] }], now)
  await expect
    .poll(async () => await jobOf(scene.world, 1), { timeout: 5000 })
    .toMatchObject({ state: 'assigned', attempt: 2 })
  const row = await scene.world.db.selectFrom('assignment').select('stale').executeTakeFirstOrThrow()
  expect(row.stale).toBe(true)
})

/** Resolves when the work is done or waits for a lock in the database. */
async function settledOrWaiting({ db }: DeliveryWorld, work: Promise<unknown>): Promise<void> {
  let isDone = false
  void work.then(() => (isDone = true))
  await expect
    .poll(async () => {
      const { rows } = await sql`select 1 from pg_locks where not granted`.execute(db)
      return isDone || rows.length > 0
    })
    .toBe(true)
}

test('nobody is given a new job in a phase that goes back, and a device that never comes is left behind by a person', async () => {
  const scene = await aScene(2)
  const one = await offer(scene, 1)
  await say(scene, 1, one!.id, 1, 'rolled-back')
  const two = await offer(scene, 2)
  await say(scene, 2, two!.id, 1, 'committed')
  await takeBack(scene)
  expect(await retryJobs(scene.world.call, scene.releaseId, [deviceKey(1).keyId])).toEqual({ ok: true, value: 0 })
  await scene.world.reconcile(scene.rolloutId)
  expect(await statesOf(scene)).toEqual(['backing-out', 'backing-out', 'backing-out'])
  const excused = await excuseDevice(scene.world.call, scene.releaseId, deviceKey(2).keyId, 'stolen')
  expect(excused).toMatchObject({ ok: true })
  await scene.world.reconcile(scene.rolloutId)
  expect(await statesOf(scene)).toEqual(['backed-out', 'backed-out', 'backed-out'])
  expect(await countersOf(scene.world.db)).toEqual(await recount(scene.world.db))
})

test('a person leaves a phase that goes back with the devices that never came for it', async () => {
  const scene = await aScene(1)
  const job = await offer(scene, 1)
  await say(scene, 1, job!.id, 1, 'committed')
  await takeBack(scene)
  const left = await acceptPhase(scene.world.call, { releaseId: scene.releaseId, phase: 1, reason: 'never comes' })
  expect(left).toMatchObject({ ok: true })
  await scene.world.reconcile(scene.rolloutId)
  expect(await statesOf(scene)).toEqual(['backed-out', 'backed-out', 'backed-out'])
})

test('a device whose facts come to two servers joins a dynamic audience once', async () => {
  const scene = await aScene(1)
  const { db } = scene.world
  await db.updateTable('rollout').set({ audience_mode: 'dynamic' }).execute()
  const running = createRunningRollouts(db)
  const behind = createRunningRollouts(db)
  await Promise.all([running.load(), behind.load()])
  await addLateDevice(db)
  await joinLate(db, running, 2, now)
  await joinLate(db, behind, 2, now)
  const phase = await db.selectFrom('phase').select(['size', 'late_joiners']).executeTakeFirstOrThrow()
  expect(phase).toEqual({ size: 2, late_joiners: 1 })
  expect(running.workFor(2)).toMatchObject([{ action: 'install' }])
})

test('who could not be looked at while the database was away joins with the next look', async () => {
  const { world } = await aScene(1)
  const { db } = world
  await db.updateTable('rollout').set({ audience_mode: 'dynamic' }).execute()
  const running = createRunningRollouts(db)
  await running.load()
  await addLateDevice(db)
  const fleet = { find: () => undefined }
  const late = createLateJoiners({ db, fleet, running, now: () => now, log: pino({ level: 'silent' }) })
  await sql`alter table rollout rename to rollout_away`.execute(db)
  late.look('all')
  await late.idle()
  await sql`alter table rollout_away rename to rollout`.execute(db)
  late.look([])
  await late.idle()
  expect(await db.selectFrom('phase').select(['size', 'late_joiners']).executeTakeFirstOrThrow()).toEqual({
    size: 2,
    late_joiners: 1,
  })
})

test('a device that was excused from a whole back-out keeps what it runs in the CMDB, and goes back when it comes home', async () => {
  const scene = await aScene(2)
  const { db } = scene.world
  for (const device of [1, 2]) await say(scene, device, (await offer(scene, device))!.id, 1, 'committed')
  await takeBack(scene)
  await excuseDevice(scene.world.call, scene.releaseId, deviceKey(1).keyId, 'lost')
  const back = await offer(scene, 2, 'back-out')
  await say(scene, 2, back!.id, 2, 'rolled-back')
  await scene.world.reconcile(scene.rolloutId)
  expect(await statesOf(scene)).toEqual(['backed-out', 'backed-out', 'backed-out'])
  const { state_because: because } = await db.selectFrom('phase').select('state_because').executeTakeFirstOrThrow()
  expect(because).toBe('No device of the phase runs the release any more, but for 1 excused device that may.')
  const runs = await sql<{ version: string; release: string }>`
    select r.attributes ->> 'version' as version, r.attributes ->> 'release' as release
    from ci_relation r join ci on ci.id = r.from_id where ci.device_id = 1 and r.kind = 'runs'`.execute(db)
  expect(runs.rows).toEqual([{ version: '2.0.0', release: scene.releaseId }])

  const running = createRunningRollouts(db)
  await running.load()
  expect([running.workFor(1), running.workFor(2)]).toEqual([
    [{ rolloutId: scene.rolloutId, phase: 1, action: 'back-out' }],
    [],
  ])
  const late = await offer(scene, 1, 'back-out')
  expect(late).toMatchObject({ action: 'back-out', state: 'assigned' })
  await say(scene, 1, late!.id, 3, 'rolled-back')
  expect(await jobOf(scene.world, 1)).toMatchObject({ state: 'rolled-back' })
  await running.reload(scene.rolloutId)
  expect(running.rolloutIds()).toEqual([])
  expect(await countersOf(db)).toEqual(await recount(db))
})

test('a device that was left behind in the middle of its install goes back when it comes home, although all is over', async () => {
  const scene = await aScene(2)
  const job = await offer(scene, 1)
  await grantInstalls(scene.world.db, [{ deviceId: 1, jobId: job!.id }], now)
  await takeBack(scene)
  const left = await acceptPhase(scene.world.call, { releaseId: scene.releaseId, phase: 1, reason: 'lost' })
  expect(left).toMatchObject({ ok: true })
  await scene.world.reconcile(scene.rolloutId)
  expect(await statesOf(scene)).toEqual(['backed-out', 'backed-out', 'backed-out'])
  const running = createRunningRollouts(scene.world.db)
  await running.load()
  expect(running.workFor(1)).toEqual([{ rolloutId: scene.rolloutId, phase: 1, action: 'back-out' }])
  await say(scene, 1, job!.id, 1, 'committed')
  expect(await offer(scene, 1, 'back-out')).toMatchObject({ action: 'back-out', state: 'assigned' })
})
