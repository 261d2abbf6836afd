import { devicePaths, type CheckIn } from '@bascule/contract/device/protocol.ts'
import type { JobAction } from '@bascule/domain/deliver/job.ts'
import type { ReleaseId } from '@bascule/domain/lib/ids.ts'
import { agentSteps, waitReasons, type AgentStep, type WaitReason } from '@bascule/domain/deliver/agent-step.ts'
import { isFailure, isInFlight } from '@bascule/domain/deliver/job.ts'
import { nobodySilent, tallyPhase } from '@bascule/domain/deliver/phase.ts'
import { signRequest } from '@bascule/trust/http-signature.ts'
import fc from 'fast-check'
import type { FastifyInstance } from 'fastify'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import type { Db } from '#/platform/db/database.ts'
import { countStatements } from '#/platform/db/statements.ts'
import { followSteps } from './job/follow-steps.ts'
import { grantInstalls } from './job/grant-installs.ts'
import { excuseDevice, retryJobs } from './job/job.service.ts'
import { offerJobs } from './job/offer-jobs.ts'
import { acceptPhase, pausePhase, resumePhase } from './phase/phase.service.ts'
import { commitReports } from './receipt/commit-reports.ts'
import { acceptResidual, backOut, pauseRollout, resumeRollout } from './rollout/rollout.service.ts'
import { observeRollout } from './rollout/rollout.store.ts'
import { startSignedServer } from './testing/signed-server.ts'
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
} from './testing/delivery-world.ts'

test('1,000 check-ins of devices with nothing to do cost no statement while a rollout runs', async () => {
  await using server = await startSignedServer()
  const { app, db, services } = server
  await addDevices(db, 10)
  await services.fleet.refresh('all')
  const call = {
    db,
    actor: { kind: 'person', id: 'ada', name: 'Ada Keeper', grants: [{ role: 'release-manager' }] },
    now: services.now(),
  } as const
  using before = countStatements(services.database)
  await aRollout({ db, call, blobs: services.blobs, boards: server.boards }, [{ query: 'sample:10%' }, {}])
  // The server hears of the new rollout and reads it into its memory once; this is the last thing it reads.
  await expect.poll(() => before.texts.some((text) => text.includes('"stale"'))).toBe(true)

  using statements = countStatements(services.database)
  for (let seq = 1; seq <= 100; seq += 1) {
    const answers = await Promise.all(Array.from({ length: 10 }, (_, at) => checkInAs(app, at + 1, seq)))
    expect(answers.every(({ statusCode }) => statusCode === 200)).toBe(true)
  }
  // What was heard is written down every two seconds, in one statement for all devices, however many there are.
  expect(statements.texts.filter((text) => !text.includes('device_presence'))).toEqual([])
  expect(services.fleet.lastSeenMs(10)).toBeGreaterThan(0)
})

async function checkInAs(app: FastifyInstance, index: number, seq: number) {
  const body: CheckIn = {
    protocol: 1,
    seq,
    generation: 0,
    agentVersion: '0.1.0',
    factsHash: '0'.repeat(64),
    jobs: [],
    ask: [],
    reportHigh: 0,
    metadataVersion: 2,
  }
  const payload = JSON.stringify(body)
  const path = devicePaths.checkIn
  const signature = signRequest(deviceKey(index), { method: 'POST', path, body: payload, seq, now })
  const headers = { 'content-type': 'application/json', ...signature }
  return await app.inject({ method: 'POST', url: path, headers, payload })
}

test('a rollout for 100,000 devices starts and opens its first phase with at most 50 rows written', async () => {
  await using world = await createDeliveryWorld()
  await addDevices(world.db, 100_000, false)
  const written = await rowsWrittenBy(world.db, async () => {
    const { rolloutId } = await aRollout(world, [{ query: 'sample:10%' }, { query: 'sample:50%' }, {}])
    await world.reconcile(rolloutId)
  })
  const states = await world.db.selectFrom('phase').select(['state', 'size']).orderBy('ord').execute()
  expect(states.map(({ state }) => state)).toEqual(['open', 'waiting', 'waiting'])
  expect(states.reduce((sum, { size }) => sum + size, 0)).toBe(100_000)
  expect(written['device'] ?? 0).toBe(0)
  expect(written['job'] ?? 0).toBe(0)
  const rows = Object.values(written).reduce((sum, count) => sum + count, 0)
  expect(rows, JSON.stringify(written)).toBeGreaterThan(5)
  expect(rows, JSON.stringify(written)).toBeLessThanOrEqual(50)
}, 180_000)

/** Row versions that transactions begun during the work have left, by table: every insert and update is one. */
async function rowsWrittenBy(db: Db, work: () => Promise<void>): Promise<Record<string, number>> {
  const before = await sql<{ xid: number }>`select pg_current_xact_id()::text::bigint as xid`.execute(db)
  await work()
  const tables = await sql<{ name: string }>`
    select quote_ident(schemaname) || '.' || quote_ident(relname) as name from pg_stat_user_tables`.execute(db)
  const written: Record<string, number> = {}
  for (const { name } of tables.rows) {
    const { rows } = await sql<{ rows: number }>`
      select count(*)::int as rows from ${sql.raw(name)} where xmin::text::bigint > ${before.rows[0]?.xid ?? 0}`.execute(
      db,
    )
    const count = rows[0]?.rows ?? 0
    if (count > 0) written[name.replace('public.', '')] = count
  }
  return written
}

const deviceCount = 12
const phaseCount = 3
const device = fc.integer({ min: 1, max: deviceCount })
const devices = fc.uniqueArray(device, { minLength: 1, maxLength: 6 })

/** Anything that devices, people and the clock can do to a rollout, in any order, sensible or not. */
const event = fc.oneof(
  fc.record({ do: fc.constant('offer' as const), devices }),
  fc.record({ do: fc.constant('ask' as const), devices }),
  fc.record({
    do: fc.constant('report' as const),
    devices,
    step: fc.constantFrom(...agentSteps),
    wait: fc.option(fc.constantFrom(...waitReasons), { freq: 4 }),
    again: fc.boolean(),
  }),
  fc.record({ do: fc.constant('retry' as const), devices }),
  fc.record({ do: fc.constant('excuse' as const), device }),
  fc.record({ do: fc.constant('pause' as const) }),
  fc.record({ do: fc.constant('resume' as const) }),
  fc.record({ do: fc.constant('resume-phase' as const), phase: fc.integer({ min: 1, max: phaseCount }) }),
  fc.record({ do: fc.constant('pause-phase' as const), phase: fc.integer({ min: 1, max: phaseCount }) }),
  fc.record({ do: fc.constant('accept-phase' as const), phase: fc.integer({ min: 1, max: phaseCount }) }),
  fc.record({ do: fc.constant('accept-residual' as const) }),
  fc.record({ do: fc.constant('stand' as const), devices, step: fc.constantFrom(...agentSteps) }),
  fc.record({ do: fc.constant('back-out' as const), phase: fc.option(fc.integer({ min: 1, max: phaseCount })) }),
  fc.record({ do: fc.constant('look' as const) }),
)
type Event = typeof event extends fc.Arbitrary<infer Value> ? Value : never

interface Scene {
  readonly world: DeliveryWorld
  readonly rolloutId: number
  readonly releaseId: ReleaseId
  /** Number of the last report of each device. */
  readonly seqs: Map<number, number>
}

async function happen(scene: Scene, one: Event): Promise<void> {
  const { world, rolloutId, releaseId } = scene
  switch (one.do) {
    case 'offer':
      return await offer(scene, one.devices)
    case 'ask': {
      const asks = (await jobsOf(scene, one.devices)).map((job) => ({ deviceId: job.device_id, jobId: job.id }))
      return void (await grantInstalls(world.db, asks, now))
    }
    case 'report':
      return await report(scene, one)
    case 'retry':
      return void (await retryJobs(
        world.call,
        releaseId,
        one.devices.map((index) => deviceKey(index).keyId),
      ))
    case 'excuse':
      return void (await excuseDevice(world.call, releaseId, deviceKey(one.device).keyId, 'in repair'))
    case 'pause':
      return void (await pauseRollout(world.call, releaseId, undefined))
    case 'resume':
      return void (await resumeRollout(world.call, releaseId, 'looked at it'))
    case 'resume-phase':
      return void (await resumePhase(world.call, { releaseId, phase: one.phase, reason: 'fine', failureBudget: 100 }))
    case 'pause-phase':
      return void (await pausePhase(world.call, { releaseId, phase: one.phase, reason: 'look' }))
    case 'accept-phase':
      return void (await acceptPhase(world.call, { releaseId, phase: one.phase, reason: 'fine' }))
    case 'accept-residual':
      return void (await acceptResidual(world.call, releaseId, 'fine'))
    case 'stand': {
      const jobs = await jobsOf(scene, one.devices)
      const standings = jobs.map((job) => ({
        deviceId: job.device_id,
        jobs: [{ id: String(job.id), step: one.step }],
      }))
      return await followSteps(world.db, standings, now)
    }
    case 'back-out': {
      const phase = one.phase === null ? {} : { phase: one.phase }
      return void (await backOut(world.call, releaseId, { ...phase, reason: 'bad', confirm: 'Sales Desk' }))
    }
    case 'look':
      return await world.reconcile(rolloutId)
    default:
      throw new Error(`Unknown event ${JSON.stringify(one satisfies never)}`)
  }
}

/** What the device's phase asks of it now: an install, or the way back when the phase goes back. */
async function offer({ world, rolloutId }: Scene, deviceIds: readonly number[]): Promise<void> {
  const { rows } = await sql<{ device_id: number; phase: number; action: JobAction }>`
    select d as device_id, p.ord as phase, case when p.state = 'backing-out' then 'back-out' else 'install' end as action
    from rollout r, unnest(${deviceIds}::int[]) d join phase p on p.rollout_id = ${rolloutId}
    where r.id = ${rolloutId} and p.ord = get_byte(r.members, d)`.execute(world.db)
  const offers = rows.map(({ device_id, phase, action }) => ({
    deviceId: device_id,
    work: [{ rolloutId, phase, action: action as 'install' | 'back-out' }],
  }))
  if (offers.length > 0) await offerJobs(world.assignments, offers, now)
}

async function jobsOf({ world, rolloutId }: Scene, deviceIds: readonly number[]) {
  return await world.db
    .selectFrom('job')
    .select(['id', 'device_id'])
    .where('rollout_id', '=', rolloutId)
    .where('device_id', 'in', deviceIds)
    .execute()
}

interface Said {
  readonly devices: readonly number[]
  readonly step: AgentStep
  readonly wait: WaitReason | null
  readonly again: boolean
}

async function report(scene: Scene, { devices: deviceIds, step, wait, again }: Said): Promise<void> {
  const arrived = (await jobsOf(scene, deviceIds)).map(({ id, device_id }) => {
    const seq = (scene.seqs.get(device_id) ?? 0) + 1
    scene.seqs.set(device_id, seq)
    const made = aReport(device_id, id, seq, step)
    const at = now.toString()
    const waits = { reason: wait ?? 'disk', detail: 'not now', since: at, wakesOn: 'later' }
    return wait === null || made.report.receipt ? made : { ...made, report: { ...made.report, wait: waits } }
  })
  await commitReports(scene.world.db, again ? [...arrived, ...arrived.slice(0, 1)] : arrived, now)
  if (again) await commitReports(scene.world.db, arrived, now)
}

test('the counters equal a recount and every device is counted once, after anything that may happen in any order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(event, { minLength: 1, maxLength: 3 }), { maxLength: 25 }), async (moments) => {
      await using world = await createDeliveryWorld()
      await addDevices(world.db, deviceCount)
      const phases = [
        { query: 'name:ws-000001 or name:ws-000002', failureBudget: 2, inFlightMax: 1 },
        { query: 'sample:50%', failureBudget: 3, inFlightMax: 2 },
        { failureBudget: 4 },
      ]
      const scene = { world, ...(await aRollout(world, phases)), seqs: new Map<number, number>() }
      await world.reconcile(scene.rolloutId)
      // What stands in one moment happens at once, over several connections.
      for (const moment of moments) await Promise.all(moment.map((one) => happen(scene, one)))
      expect(await countersOf(world.db)).toEqual(await recount(world.db))
      const seen = await observeRollout(world.db, scene.rolloutId)
      for (const phase of seen?.phases ?? []) {
        const tally = tallyPhase(phase.size, seen?.counts.get(phase.ord) ?? [], nobodySilent)
        expect(Object.values(tally.byBucket).every((count) => count >= 0)).toBe(true)
        expect(Object.values(tally.byBucket).reduce((sum, count) => sum + count, 0)).toBe(phase.size)
      }
    }),
    { numRuns: 12, endOnFailure: true },
  )
}, 120_000)

test('a device that was excused is not let through when its question comes a moment later', async () => {
  await using world = await createDeliveryWorld()
  await addDevices(world.db, 2)
  const scene = { world, ...(await aRollout(world, [{}])), seqs: new Map<number, number>() }
  await world.reconcile(scene.rolloutId)
  await offer(scene, [1, 2])
  const [job] = await jobsOf(scene, [1])
  expect(await excuseDevice(world.call, scene.releaseId, deviceKey(1).keyId, 'in repair')).toMatchObject({ ok: true })
  const [grant] = await grantInstalls(world.db, [{ deviceId: 1, jobId: job?.id ?? 0 }], now)
  expect(grant).toMatchObject({ proceed: false })
  const state = await stateOf(world.db, 1)
  expect(isInFlight(state)).toBe(false)
  expect(state).toBe('excused')
})

test('a question that comes after the end of the job does not begin it again', async () => {
  await using world = await createDeliveryWorld()
  await addDevices(world.db, 2)
  const scene = { world, ...(await aRollout(world, [{ failureBudget: 5 }])), seqs: new Map<number, number>() }
  await world.reconcile(scene.rolloutId)
  await offer(scene, [1, 2])
  for (const [index, step] of [
    [1, 'committed'],
    [2, 'rolled-back'],
  ] as const) {
    const [job] = await jobsOf(scene, [index])
    await report(scene, { devices: [index], step, wait: null, again: false })
    const before = await stateOf(world.db, index)
    const [grant] = await grantInstalls(world.db, [{ deviceId: index, jobId: job?.id ?? 0 }], now)
    expect(grant).toMatchObject({ proceed: false })
    expect(await stateOf(world.db, index)).toBe(before)
  }
  expect(isFailure('install', await stateOf(world.db, 2))).toBe(true)
})

async function stateOf(db: Db, deviceId: number) {
  const row = await db.selectFrom('job').select('state').where('device_id', '=', deviceId).executeTakeFirstOrThrow()
  return row.state
}
