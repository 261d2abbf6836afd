import type { Db } from '#/platform/db/database.ts'
import type { Answer } from '#/platform/lib/answer.ts'

/** A transaction that stays only when the work answers with a value; a refusal undoes what was written before it. */
export async function undoUnless<T>(db: Db, work: (tx: Db) => Promise<Answer<T>>): Promise<Answer<T>> {
  const tx = await db.startTransaction().execute()
  try {
    const answer = await work(tx)
    await (answer.ok ? tx.commit() : tx.rollback()).execute()
    return answer
  } catch (cause) {
    await tx.rollback().execute()
    throw cause
  }
}
