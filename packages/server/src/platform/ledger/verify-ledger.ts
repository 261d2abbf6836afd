import { sql } from 'kysely'
import type { Db } from '#/platform/db/database.ts'
import { leafHash, merkleRoot, noSeal, sealHash } from './merkle.ts'
import { instantText, lineColumns } from './seal.ts'
import './ledger.tables.ts'

export interface LedgerProblem {
  /** Null for what no seal is about. */
  readonly seal: number | null
  readonly problem: string
}

export interface LedgerReport {
  readonly intact: boolean
  readonly seals: number
  /** Facts that a seal covers. */
  readonly facts: number
  /** Facts too young to be sealed. */
  readonly unsealed: number
  /** The last seal, in hex. Whoever keeps it elsewhere can later prove that the end of the ledger was not cut off. */
  readonly lastSeal: string | null
  readonly problems: readonly LedgerProblem[]
}

type Seal = Awaited<ReturnType<typeof sealsAfter>>[number]

/** Recomputes every seal from the rows and names each row that was changed, deleted or slipped in. */
export async function verifyLedger(db: Db): Promise<LedgerReport> {
  return await db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (tx) => {
      const problems: LedgerProblem[] = []
      let last: Seal | undefined
      let [seals, facts] = [0, 0]
      for (;;) {
        const batch = await sealsAfter(tx, last?.id ?? 0)
        if (batch.length === 0) break
        for (const seal of batch) {
          problems.push(...chainProblems(seal, last), ...(await rowProblems(tx, seal)))
          last = seal
          seals += 1
          facts += seal.row_ids.length
        }
      }
      const { unsealed, total } = await countRows(tx)
      const strangers = total - unsealed - facts
      if (strangers > 0)
        problems.push({ seal: null, problem: `${strangers} facts are neither sealed nor waiting for a seal` })
      return {
        intact: problems.length === 0,
        seals,
        facts,
        unsealed,
        lastSeal: last?.seal.toString('hex') ?? null,
        problems,
      }
    })
}

async function sealsAfter(tx: Db, id: number) {
  return await tx
    .selectFrom('ledger_seal')
    .select(['id', 'row_ids', 'leaves', 'root', 'previous', 'seal', instantText('sealed_at').as('sealedAt')])
    .where('id', '>', id)
    .orderBy('id')
    .limit(20)
    .execute()
}

function chainProblems(seal: Seal, last: Seal | undefined): LedgerProblem[] {
  const problems: string[] = []
  if (seal.id !== (last?.id ?? 0) + 1) problems.push('the seal before it is missing')
  if (!seal.previous.equals(last?.seal ?? noSeal)) problems.push('does not continue the seal before it')
  const expected = sealHash({ id: seal.id, sealedAt: seal.sealedAt, root: seal.root, previous: seal.previous })
  if (!seal.seal.equals(expected)) problems.push('the seal itself was changed')
  if (!merkleRoot(leavesOf(seal)).equals(seal.root)) problems.push('its root does not cover its leaves')
  return problems.map((problem) => ({ seal: seal.id, problem }))
}

async function rowProblems(tx: Db, seal: Seal): Promise<LedgerProblem[]> {
  const lines = await tx
    .selectFrom('ledger')
    .select(lineColumns)
    .where(sql<boolean>`ledger.id = any(${seal.row_ids}::bigint[])`)
    .execute()
  const linesById = new Map(lines.map((line) => [line.id, line]))
  const leaves = leavesOf(seal)
  return seal.row_ids.flatMap((id, index) => {
    const line = linesById.get(id)
    if (line === undefined) return [{ seal: seal.id, problem: `fact ${id} is missing` }]
    return leaves[index]?.equals(leafHash(line)) === true ? [] : [{ seal: seal.id, problem: `fact ${id} was changed` }]
  })
}

function leavesOf(seal: Seal): Buffer[] {
  return Array.from({ length: seal.leaves.length / 32 }, (_, at) => seal.leaves.subarray(at * 32, at * 32 + 32))
}

async function countRows(tx: Db): Promise<{ unsealed: number; total: number }> {
  const counted = await sql<{ unsealed: number; total: number }>`
    select (select count(*)::int from ledger_unsealed) as unsealed, (select count(*)::int from ledger) as total`.execute(
    tx,
  )
  return counted.rows[0] ?? { unsealed: 0, total: 0 }
}
