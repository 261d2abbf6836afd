import { sql } from 'kysely'
import type { Generated } from 'kysely'
import type { Logger } from 'pino'
import type { Db } from '#/platform/db/database.ts'
import { backoffMs } from '#/platform/jobs/worker.ts'
import type { Reconciler } from '#/platform/jobs/worker.ts'
import { wake } from '#/platform/jobs/timer.ts'

declare module '#/platform/db/database.ts' {
  interface Database {
    outbox: {
      id: Generated<number>
      sink: string
      topic: string
      payload: unknown
      created_at: Generated<Temporal.Instant>
      due_at: Generated<Temporal.Instant>
      attempts: Generated<number>
      last_error: string | null
      state: Generated<'waiting' | 'delivered' | 'dead'>
      settled_at: Temporal.Instant | null
    }
  }
}

/** Something the outside world must hear: for which sink, what it is about, and the words. */
export interface Letter {
  readonly sink: string
  readonly topic: string
  readonly payload: unknown
}

/** Where letters go. It may get a letter twice (`id` tells) and answers by returning, or throws to get it again. */
export type Sink = (letter: Letter & { readonly id: number }) => Promise<void>

export const outboxReconciler = 'outbox'

/** About a day and a half of trying, then a person has to look. */
const attemptsMax = 400
const lettersPerRound = 50

/** Writes a letter in the transaction of the change it tells of; it goes out after the commit, at least once. */
export async function post(tx: Db, letter: Letter, now: Temporal.Instant): Promise<void> {
  const { sink, topic } = letter
  const row = { sink, topic, payload: JSON.stringify(letter.payload), created_at: now, due_at: now }
  await tx.insertInto('outbox').values(row).execute()
  await wake(tx, outboxReconciler, sink, now)
}

/** Delivers the letters of one sink that are due. One server at a time per sink, because it is a reconciler. */
export function createOutboxReconciler(db: Db, sinks: ReadonlyMap<string, Sink>): Reconciler {
  return async (name, { now, log }) => {
    const sink = sinks.get(name)
    if (sink === undefined) throw new Error(`Letters wait for the sink ${name}, which this server does not have`)
    const letters = await dueLetters(db, name, now)
    for (const letter of letters) await deliver(db, sink, letter, now, log)
    return { next: await nextDue(db, name) }
  }
}

type DueLetter = Awaited<ReturnType<typeof dueLetters>>[number]

async function dueLetters(db: Db, sink: string, now: Temporal.Instant) {
  return await db
    .selectFrom('outbox')
    .select(['id', 'sink', 'topic', 'payload', 'attempts'])
    .where('sink', '=', sink)
    .where('state', '=', 'waiting')
    .where('due_at', '<=', now)
    .orderBy('id')
    .limit(lettersPerRound)
    .execute()
}

async function deliver(db: Db, sink: Sink, letter: DueLetter, now: Temporal.Instant, log: Logger): Promise<void> {
  const { id, topic, payload } = letter
  const attempts = letter.attempts + 1
  const update = db.updateTable('outbox').where('id', '=', id)
  try {
    await sink({ id, sink: letter.sink, topic, payload })
    await update.set({ state: 'delivered', attempts, settled_at: now, last_error: null }).execute()
  } catch (cause) {
    const lastError = cause instanceof Error ? cause.message : String(cause)
    const isDead = attempts >= attemptsMax
    log.warn({ err: cause, letter: id, attempts, isDead }, 'letter was not delivered')
    const later = isDead
      ? { state: 'dead' as const, settled_at: now }
      : { due_at: now.add({ milliseconds: backoffMs(attempts - 1) }) }
    await update.set({ ...later, attempts, last_error: lastError }).execute()
  }
}

async function nextDue(db: Db, sink: string): Promise<Temporal.Instant | undefined> {
  const waiting = await db
    .selectFrom('outbox')
    .select(sql<Temporal.Instant | null>`min(due_at)`.as('due'))
    .where('sink', '=', sink)
    .where('state', '=', 'waiting')
    .executeTakeFirst()
  return waiting?.due ?? undefined
}
