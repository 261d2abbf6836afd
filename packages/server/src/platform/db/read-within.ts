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
      await sql`select set_config('statement_timeout', ${String(limitMs)}, true)`.execute(tx)
      return ok(await read(tx))
    })
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === canceled) return refused(tooLong(limitMs))
    throw cause
  }
}

function tooLong(limitMs: number) {
  return {
    rule: 'question-takes-too-long',
    fact: `The database did not find the answer within ${limitMs / 1000} seconds.`,
    lifter: 'you',
    next: 'Ask with fewer stars and fewer conditions, or for a whole value in place of a piece of it.',
  }
}
