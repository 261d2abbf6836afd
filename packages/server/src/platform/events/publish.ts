import { sql } from 'kysely'
import type { Db } from '#/platform/db/database.ts'

/** Something changed and whoever shows it should look again. It carries no content: readers ask, with their own rights. */
export interface Change {
  readonly entity: string
  /** `*` stands for many of this kind. */
  readonly id: string
  /** Grows with every change of this thing, so that a reader can tell old from new. */
  readonly version: string
}

export const eventChannel = 'bascule_event'

/** PostgreSQL refuses more than 8000 bytes; beyond this many, "many of this kind" is the better message anyway. */
const changesPerNotice = 60

/**
 * Tells every server, and through them every browser, once this transaction commits. One NOTIFY for all changes:
 * each committing NOTIFY takes a lock of the whole cluster, so never call this once per row.
 */
export async function publish(tx: Db, changes: readonly Change[]): Promise<void> {
  if (changes.length === 0) return
  const few = coalesce(changes)
  await sql`select pg_notify(${eventChannel}, ${JSON.stringify(few.map((c) => [c.entity, c.id, c.version]))})`.execute(
    tx,
  )
}

/** One change per thing, the newest; or one per kind where there are too many things. */
export function coalesce(changes: readonly Change[]): Change[] {
  const newest = newestBy(changes, (change) => `${change.entity} ${change.id}`)
  if (newest.length <= changesPerNotice) return newest
  return newestBy(newest, (change) => change.entity).map((change) => ({ ...change, id: '*' }))
}

function newestBy(changes: readonly Change[], keyOf: (change: Change) => string): Change[] {
  const byKey = new Map<string, Change>()
  for (const change of changes) {
    const known = byKey.get(keyOf(change))
    if (known === undefined || Number(known.version) <= Number(change.version)) byKey.set(keyOf(change), change)
  }
  return [...byKey.values()]
}
