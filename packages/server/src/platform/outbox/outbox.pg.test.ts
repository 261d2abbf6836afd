import { createTestDatabase } from '@bascule/testkit/test-database.ts'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { connect } from '#/platform/db/connect.ts'
import type { Db } from '#/platform/db/database.ts'
import { createWorker } from '#/platform/jobs/worker.ts'
import { createOutboxReconciler, outboxReconciler, post } from './outbox.ts'
import type { Sink } from './outbox.ts'

const start = Temporal.Instant.from('2026-11-23T08:00:00Z')

async function anOutbox(sink: Sink) {
  const database = await createTestDatabase({ upTo: 2 })
  const handle = await connect({ connection: database.address })
  const clock = { now: start }
  const worker = createWorker({ db: handle.db, now: () => clock.now, log: pino({ level: 'silent' }) })
  worker.registerReconciler(outboxReconciler, createOutboxReconciler(handle.db, new Map([['desk', sink]])))
  onTestFinished(async () => {
    await worker[Symbol.asyncDispose]()
    await handle[Symbol.asyncDispose]()
    await database[Symbol.asyncDispose]()
  })
  return { db: handle.db, worker, clock }
}

async function states(db: Db) {
  return await db.selectFrom('outbox').select(['topic', 'state', 'attempts']).orderBy('id').execute()
}

test('a letter goes out after the commit, and a lost transaction sends nothing', async () => {
  const heard: unknown[] = []
  const { db, worker } = await anOutbox(async (letter) => void heard.push(letter.payload))
  await db
    .transaction()
    .execute((tx) => post(tx, { sink: 'desk', topic: 'phase.opened', payload: { phase: 1 } }, start))
  const undone = db.transaction().execute(async (tx) => {
    await post(tx, { sink: 'desk', topic: 'phase.opened', payload: { phase: 2 } }, start)
    throw new Error('undone')
  })
  await expect(undone).rejects.toThrow('undone')
  await worker.runDue()
  expect(heard).toEqual([{ phase: 1 }])
  expect(await states(db)).toEqual([{ topic: 'phase.opened', state: 'delivered', attempts: 1 }])
})

test('a sink that is away gets its letter again later, and one bad letter does not hold the others', async () => {
  const heard: string[] = []
  const { db, worker, clock } = await anOutbox(async ({ topic }) => {
    heard.push(topic)
    if (topic === 'bad' && heard.filter((each) => each === 'bad').length < 3) throw new Error('no answer')
  })
  await post(db, { sink: 'desk', topic: 'bad', payload: {} }, start)
  await post(db, { sink: 'desk', topic: 'good', payload: {} }, start)
  await worker.runDue()
  expect(heard).toEqual(['bad', 'good'])
  for (const seconds of [1, 2]) {
    clock.now = clock.now.add({ seconds })
    await worker.runDue()
  }
  expect(heard).toEqual(['bad', 'good', 'bad', 'bad'])
  expect(await states(db)).toEqual([
    { topic: 'bad', state: 'delivered', attempts: 3 },
    { topic: 'good', state: 'delivered', attempts: 1 },
  ])
})

test('a letter that never arrives is dead in the end and says why', async () => {
  const { db, worker, clock } = await anOutbox(() => Promise.reject(new Error('no answer')))
  await post(db, { sink: 'desk', topic: 'bad', payload: {} }, start)
  await db.updateTable('outbox').set({ attempts: 399 }).execute()
  await worker.runDue()
  clock.now = clock.now.add({ hours: 1 })
  await worker.runDue()
  const row = await db.selectFrom('outbox').select(['state', 'attempts', 'last_error']).executeTakeFirst()
  expect(row).toEqual({ state: 'dead', attempts: 400, last_error: 'no answer' })
})
