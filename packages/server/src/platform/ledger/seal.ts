import { sql } from 'kysely'
import type { Db } from '#/platform/db/database.ts'
import { leafHash, merkleRoot, noSeal, sealHash } from './merkle.ts'
import type { LedgerLine } from './merkle.ts'
import './ledger.tables.ts'

const rowsPerSeal = 10_000

/** One sealer at a time, on however many servers. The number is only a name for the lock. */
const sealLock = 7_204_501

export const instantText = (column: string) =>
  sql<string>`to_char(${sql.ref(column)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`

/** The columns of a ledger row as `leafHash` wants them: JSON in the database's own text, instants to the microsecond. */
export const lineColumns = [
  'ledger.id',
  instantText('ledger.at').as('at'),
  'ledger.actor_kind as actorKind',
  'ledger.actor_id as actorId',
  'ledger.actor_name as actorName',
  'ledger.did',
  'ledger.subject_kind as subjectKind',
  'ledger.subject_id as subjectId',
  'ledger.release_id as releaseId',
  sql<string | null>`ledger.before::text`.as('before'),
  sql<string | null>`ledger.after::text`.as('after'),
] as const

/**
 * Covers the facts that no seal covers yet with one more seal in the chain. Returns how many; 0 when there was nothing
 * or another server is at it. Never part of the transaction that writes a fact, so writers do not wait for each other.
 */
export async function sealLedger(db: Db, now: Temporal.Instant): Promise<number> {
  return await db.transaction().execute(async (tx) => {
    const lock = await sql<{ got: boolean }>`select pg_try_advisory_xact_lock(${sealLock}) as got`.execute(tx)
    if (lock.rows[0]?.got !== true) return 0
    const lines = await unsealedLines(tx)
    if (lines.length > 0) await writeSeal(tx, now, lines)
    return lines.length
  })
}

async function unsealedLines(tx: Db): Promise<LedgerLine[]> {
  return await tx
    .selectFrom('ledger_unsealed')
    .innerJoin('ledger', 'ledger.id', 'ledger_unsealed.ledger_id')
    .select(lineColumns)
    .orderBy('ledger_unsealed.ledger_id')
    .limit(rowsPerSeal)
    .execute()
}

async function writeSeal(tx: Db, now: Temporal.Instant, lines: readonly LedgerLine[]): Promise<void> {
  const last = await tx
    .selectFrom('ledger_seal')
    .select(['id', 'seal'])
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  const leaves = lines.map(leafHash)
  const root = merkleRoot(leaves)
  const previous = last?.seal ?? noSeal
  const id = (last?.id ?? 0) + 1
  const sealedAt = now.toString({ smallestUnit: 'microsecond' })
  const rowIds = lines.map((line) => line.id)
  const seal = sealHash({ id, sealedAt, root, previous })
  await tx
    .insertInto('ledger_seal')
    .values({
      id,
      sealed_at: Temporal.Instant.from(sealedAt),
      row_ids: rowIds,
      leaves: Buffer.concat(leaves),
      root,
      previous,
      seal,
    })
    .execute()
  await sql`delete from ledger_unsealed where ledger_id = any(${rowIds}::bigint[])`.execute(tx)
}
