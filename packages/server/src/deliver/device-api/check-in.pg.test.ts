import type { CheckIn, JobStatus } from '@bascule/contract/device/protocol.ts'
import { sql } from 'kysely'
import { expect, onTestFinished, test } from 'vitest'
import { createFleet } from '#/estate/device/fleet.ts'
import { groupCommit } from '#/platform/lib/group-commit.ts'
import { followSteps, type Standing } from '../job/follow-steps.ts'
import { grantInstalls, type Ask, type Grant } from '../job/grant-installs.ts'
import { offerJobs, type Offer, type Offered } from '../job/offer-jobs.ts'
import { createRunningRollouts } from '../rollout/running-rollouts.ts'
import {
  aRollout,
  addDevices,
  countersOf,
  createDeliveryWorld,
  recount,
  startOfTests,
  type DeliveryWorld,
} from '../testing/delivery-world.ts'
import { createMetadataAsks } from './metadata-asks.ts'
import { checkIn, type CheckInServices } from './check-in.ts'

interface Scene {
  readonly world: DeliveryWorld
  readonly services: CheckInServices
  /** How many devices were offered something so far. */
  readonly asked: { offers: number }
}

async function aScene(): Promise<Scene> {
  const world = await createDeliveryWorld()
  onTestFinished(() => world[Symbol.asyncDispose]())
  const { db } = world
  await addDevices(db, 2)
  const { rolloutId } = await aRollout(world, [{}])
  await world.reconcile(rolloutId)
  const running = createRunningRollouts(db)
  await running.load()
  const asked = { offers: 0 }
  const now = () => world.clock.now()
  const fleet = createFleet({ database: world.handle, now, checkInSeconds: 60 })
  await fleet.refresh('all')
  const services: CheckInServices = {
    db,
    fleet,
    running,
    offers: groupCommit<Offer, Offered>(async (items) => {
      asked.offers += items.length
      return await offerJobs(world.assignments, items, now())
    }),
    grants: groupCommit<Ask, Grant>(async (items) => await grantInstalls(db, items, now())),
    standings: groupCommit<Standing, void>(async (items) => {
      await followSteps(db, items, now())
      return items.map(() => undefined)
    }),
    saveFacts: () => Promise.resolve(),
    epoch: 'epoch',
    metadataVersion: () => 7,
    metadataAsks: createMetadataAsks(),
    sources: [],
    idleSeconds: 60,
    busySeconds: 5,
  }
  return { world, services, asked }
}

async function say(scene: Scene, generation: number, jobs: JobStatus[] = []) {
  const said: CheckIn = {
    protocol: 1,
    seq: 1,
    generation,
    agentVersion: '0.1.0',
    factsHash: '0'.repeat(64),
    jobs,
    ask: [],
    reportHigh: 0,
  }
  return await checkIn(scene.services, 1, said, scene.world.clock.now())
}

test('a device that still works on its job gets a fresh assignment before the old one ends, one that is done gets none', async () => {
  const scene = await aScene()
  const first = await say(scene, 0)
  const job = Object.values(first.assignment!.signed.targets)[0]!.custom.job
  const working: JobStatus[] = [{ id: job, step: 'ready' }]
  scene.world.clock.set(startOfTests.add({ hours: 4 * 24 }))
  expect((await say(scene, first.generation, working)).assignment).toBeUndefined()
  scene.world.clock.set(startOfTests.add({ hours: 5 * 24 + 1 }))
  const again = await say(scene, first.generation, working)
  expect(again.generation).toBeGreaterThan(first.generation)
  expect(Object.values(again.assignment!.signed.targets)[0]!.custom.job).toBe(job)
  expect(Date.parse(again.assignment!.signed.expires)).toBeGreaterThan(Date.parse(first.assignment!.signed.expires))
  expect(scene.asked.offers).toBe(2)
  scene.world.clock.set(startOfTests.add({ hours: 30 * 24 }))
  expect((await say(scene, again.generation)).assignment).toBeUndefined()
  expect(scene.asked.offers).toBe(2)
})

test('a device that never took its assignment gets one that is alive, not the one that ended meanwhile', async () => {
  const scene = await aScene()
  await say(scene, 0)
  scene.world.clock.set(startOfTests.add({ hours: 10 * 24 }))
  const late = await say(scene, 0)
  expect(Date.parse(late.assignment!.signed.expires)).toBeGreaterThan(scene.world.clock.now().epochMilliseconds)
})

test('a device that is ahead of a server that came back from a backup gets an assignment that it can take', async () => {
  const scene = await aScene()
  const first = await say(scene, 0)
  // What a restore does: numbers go on above everything that may have been given after the backup.
  await sql`select setval('assignment_generation', 5000)`.execute(scene.world.db)
  const again = await say(scene, first.generation + 900)
  expect(again.generation).toBeGreaterThan(5000)
  expect(again.assignment?.signed.version).toBe(again.generation)
  expect((await say(scene, again.generation)).assignment).toBeUndefined()
})

test('what a device does on its way is followed, a wait that is over is over, and the same words cost nothing', async () => {
  const scene = await aScene()
  const first = await say(scene, 0)
  const id = Object.values(first.assignment!.signed.targets)[0]!.custom.job
  const at = startOfTests.toString()
  const wait = { reason: 'disk' as const, detail: 'Disk full, 120 MB needed.', since: at, wakesOn: '120 MB are free' }
  const seen: unknown[] = []
  const steps: Omit<JobStatus, 'id'>[] = [{ step: 'precheck', wait }, { step: 'downloading' }, { step: 'ready' }]
  for (const step of steps) {
    await say(scene, first.generation, [{ id, ...step }])
    const { state, wait_reason } = await scene.world.db
      .selectFrom('job')
      .select(['state', 'wait_reason'])
      .executeTakeFirstOrThrow()
    seen.push([state, wait_reason])
    expect(await countersOf(scene.world.db)).toEqual(await recount(scene.world.db))
  }
  expect(seen).toEqual([
    ['blocked', 'disk'],
    ['downloading', null],
    ['staged', null],
  ])
  const { rev } = await scene.world.db.selectFrom('timer').select('rev').executeTakeFirstOrThrow()
  const xmin = await rowVersion(scene)
  await say(scene, first.generation, [{ id, step: 'ready' }])
  expect(await rowVersion(scene)).toEqual(xmin)
  expect(await scene.world.db.selectFrom('timer').select('rev').executeTakeFirstOrThrow()).toEqual({ rev })
})

async function rowVersion({ world }: Scene): Promise<unknown> {
  return (await sql`select xmin::text from job`.execute(world.db)).rows
}

test('a device cannot speak for the job of another one', async () => {
  const scene = await aScene()
  const first = await say(scene, 0)
  const id = Object.values(first.assignment!.signed.targets)[0]!.custom.job
  await scene.services.standings.add({ deviceId: 2, jobs: [{ id, step: 'installing' }] })
  const { state } = await scene.world.db.selectFrom('job').select('state').executeTakeFirstOrThrow()
  expect(state).toBe('assigned')
})
