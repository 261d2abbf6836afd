import { ok } from '@bascule/domain/lib/result.ts'
import { sql } from 'kysely'
import { refused, type Answer } from '#/platform/lib/answer.ts'
import type { Db } from './database.ts'

const patienceMs = 10_000
const canceled = '57014'

/**
 * Reads for which somebody waits, with a question that this somebody wrote. The database gives up a question that takes
 * too long, because it would keep a connection from everybody else even after its asker has gone.
 */
export async function readWithin<T>(db: Db, read: (tx: Db) => Promise<T>, limitMs = patienceMs): Promise<Answer<T>> {
  try {
    return await db.transaction().execute(async (tx) => {
      await limitStatements(tx, limitMs)
      return ok(await read(tx))
    })
  } catch (cause) {
    if (isCanceled(cause)) return refused(tooLong(limitMs))
    throw cause
  }
}

/** Asks a question that somebody wrote in the midst of a transaction; nothing else of the transaction is limited. */
export type AskWithin = <A>(question: () => Promise<A>) => Promise<A>

/**
 * A use case that writes what a question of somebody answers, in one transaction. A question that takes too long takes
 * the transaction with it, and nothing is written.
 */
export async function writeWithin<T>(
  db: Db,
  work: (tx: Db, ask: AskWithin) => Promise<Answer<T>>,
  limitMs = patienceMs,
): Promise<Answer<T>> {
  try {
    return await db.transaction().execute(async (tx) => await work(tx, askIn(tx, limitMs)))
  } catch (cause) {
    if (isCanceled(cause)) return refused(tooLong(limitMs))
    throw cause
  }
}

function askIn(tx: Db, limitMs: number): AskWithin {
  return async (question) => {
    await limitStatements(tx, limitMs)
    const answer = await question()
    await limitStatements(tx, 0)
    return answer
  }
}

async function limitStatements(tx: Db, limitMs: number): Promise<void> {
  await sql`select set_config('statement_timeout', ${String(limitMs)}, true)`.execute(tx)
}

function isCanceled(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === canceled
}

function tooLong(limitMs: number) {
  return {
    rule: 'question-takes-too-long',
    fact: `The database did not find the answer within ${limitMs / 1000} seconds.`,
    lifter: 'you',
    next: 'Ask with fewer stars and fewer conditions, or for a whole value in place of a piece of it.',
  }
}
