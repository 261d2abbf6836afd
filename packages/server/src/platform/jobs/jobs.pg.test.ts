import { createTestDatabase } from '@bascule/testkit/test-database.ts'
import { sql } from 'kysely'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { connect } from '#/platform/db/connect.ts'
import type { Db } from '#/platform/db/database.ts'
import { claimDue, failRun, finishRun, renewClaims, wake } from './timer.ts'
import { backoffMs, createWorker } from './worker.ts'
import type { Worker } from './worker.ts'

const start = Temporal.Instant.from('2026-11-23T08:00:00Z')
const later = start.add({ hours: 1 })
const lease = Temporal.Duration.from({ seconds: 10 })
const log = pino({ level: 'silent' })

async function aDatabase(): Promise<Db> {
  const database = await createTestDatabase({ upTo: 2 })
  const handle = await connect({ connection: database.address })
  onTestFinished(async () => {
    await handle[Symbol.asyncDispose]()
    await database[Symbol.asyncDispose]()
  })
  return handle.db
}

function claimNow(db: Db, holder: string, now = start) {
  return claimDue(db, { kinds: ['rollout'], limit: 10, holder, now, lease })
}

async function claimOne(db: Db, holder: string, now = start) {
  const [claim] = await claimNow(db, holder, now)
  if (claim === undefined) throw new Error('nothing was due')
  return claim
}

test('a wake that commits while the run is being given back is never lost', async () => {
  const db = await aDatabase()
  await wake(db, 'rollout', 'r1', start)
  const claim = await claimOne(db, 'a')
  // The wake holds the row, so giving back has begun with the old picture and waits for it: the moment of the trap.
  const waking = await db.startTransaction().execute()
  await wake(waking, 'rollout', 'r1', start)
  const finishing = finishRun(db, claim, 'a', undefined)
  await expect.poll(() => countWaiting(db)).toBe(1)
  await waking.commit().execute()
  await finishing
  const again = await claimOne(db, 'b')
  await finishRun(db, again, 'b', undefined)
  expect(await claimNow(db, 'b')).toEqual([])
})

async function countWaiting(db: Db): Promise<number> {
  const { rows } = await sql<{ waiting: number }>`select count(*) as waiting from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`.execute(db)
  return rows[0]?.waiting ?? -1
}

test('a wake during a run makes it run once more, also when the run asked for later', async () => {
  const db = await aDatabase()
  await wake(db, 'rollout', 'r1', start)
  const claim = await claimOne(db, 'a')
  await wake(db, 'rollout', 'r1', start)
  await finishRun(db, claim, 'a', later)
  const again = await claimOne(db, 'a')
  await finishRun(db, again, 'a', later)
  expect(await claimNow(db, 'a')).toEqual([])
  expect(await claimNow(db, 'a', later)).toHaveLength(1)
})

test('a timer for an hour from now becomes due at once when something happens', async () => {
  const db = await aDatabase()
  await wake(db, 'rollout', 'r1', later)
  expect(await claimNow(db, 'a')).toEqual([])
  await wake(db, 'rollout', 'r1', start)
  await wake(db, 'rollout', 'r1', later)
  expect(await claimNow(db, 'a')).toHaveLength(1)
})

test('two servers never run the same thing at once, and a dead one loses it after its lease', async () => {
  const db = await aDatabase()
  for (const key of ['1', '2', '3', '4']) await wake(db, 'rollout', key, start)
  const both = await Promise.all([claimNow(db, 'a'), claimNow(db, 'b')])
  expect(
    both
      .flat()
      .map((claim) => claim.key)
      .sort(),
  ).toEqual(['1', '2', '3', '4'])
  await renewClaims(db, 'a', start.add({ seconds: 20 }))
  const taken = await claimNow(db, 'c', start.add({ seconds: 11 }))
  expect(taken).toHaveLength(both[1].length)
})

test('who lost a claim can no longer finish it', async () => {
  const db = await aDatabase()
  await wake(db, 'rollout', 'r1', start)
  const lost = await claimOne(db, 'a')
  const mine = await claimOne(db, 'b', start.add({ seconds: 11 }))
  await finishRun(db, lost, 'a', later)
  await failRun(db, lost, 'a', { retryAt: later, error: 'x' })
  await finishRun(db, mine, 'b', undefined)
  expect(await claimNow(db, 'c', later)).toEqual([])
})

test('a wake that is rolled back wakes nobody', async () => {
  const db = await aDatabase()
  const undone = db.transaction().execute(async (tx) => {
    await wake(tx, 'rollout', 'r1', start)
    throw new Error('undone')
  })
  await expect(undone).rejects.toThrow('undone')
  expect(await claimNow(db, 'a')).toEqual([])
})

test('a kind that this server does not know is left to the one that does', async () => {
  const db = await aDatabase()
  await wake(db, 'of-tomorrow', 'x', start)
  expect(await claimNow(db, 'a')).toEqual([])
})

function aWorker(db: Db, now: () => Temporal.Instant): Worker {
  const worker = createWorker({ db, now, log })
  onTestFinished(() => worker[Symbol.asyncDispose]())
  return worker
}

test('a reconciler runs again when it says, and is tried again after a failure, ever more patiently', async () => {
  const db = await aDatabase()
  let now = start
  const runs: string[] = []
  const worker = aWorker(db, () => now)
  worker.registerReconciler('rollout', async (key, run) => {
    runs.push(run.now.toString())
    await Promise.resolve()
    if (runs.length < 3) throw new Error(`${key} is not ready`)
    return runs.length === 3 ? { next: later } : undefined
  })
  await wake(db, 'rollout', 'r1', start)
  for (const seconds of [0, 0.5, 0.5, 2, 0]) {
    now = now.add({ milliseconds: seconds * 1000 })
    await worker.runDue()
  }
  now = later
  await worker.runDue()
  await worker.runDue()
  expect(runs).toEqual(['2026-11-23T08:00:00Z', '2026-11-23T08:00:01Z', '2026-11-23T08:00:03Z', '2026-11-23T09:00:00Z'])
  expect(backoffMs(100)).toBe(300_000)
})

test('a started worker runs what is due without being asked, one run per key at a time', async () => {
  const db = await aDatabase()
  const worker = aWorker(db, () => Temporal.Now.instant())
  let [inside, most, ran] = [0, 0, 0]
  const { promise: done, resolve } = Promise.withResolvers<void>()
  worker.registerReconciler('rollout', async (key) => {
    inside += 1
    most = Math.max(most, inside)
    await wakeAgain(db, key, ran)
    inside -= 1
    ran += 1
    if (ran === 20) resolve()
  })
  await wake(db, 'rollout', 'r1', start)
  worker.start()
  await done
  expect(most).toBe(1)
})

async function wakeAgain(db: Db, key: string, ran: number): Promise<void> {
  if (ran < 19) await wake(db, 'rollout', key, start)
}
