import { OrgUnitRow as OrgUnitCsvRow } from '@bascule/contract/estate/org-unit.ts'
import type { ImportResult } from '@bascule/contract/lib/csv.ts'
import type { InputProblem } from '@bascule/contract/lib/errors.ts'
import { ok } from '@bascule/domain/lib/result.ts'
import type { Db } from '#/platform/db/database.ts'
import type { Call } from '#/platform/http/os.ts'
import { badInput } from '#/platform/lib/answer.ts'
import type { Answer } from '#/platform/lib/answer.ts'
import { undoUnless } from '../lib/undo.ts'
import { readCsv, repeatedKeys } from '../lib/csv.ts'
import type { CsvRow } from '../lib/csv.ts'
import { addUnit, changeUnit } from './org-unit.service.ts'
import { findOrgUnitsByCode, lockTree } from './org-unit.store.ts'
import type { OrgUnitRow } from './org-unit.store.ts'

/** Adds, renames and moves the org units of a file by their codes: all rows or none. Rows may stand in any order. */
export async function importOrgUnits(call: Call, csv: string): Promise<Answer<ImportResult>> {
  const read = readCsv(csv, OrgUnitCsvRow, Object.keys(OrgUnitCsvRow.shape))
  if (!read.ok) return read
  const repeated = repeatedKeys(read.value, 'code')
  if (repeated.length > 0) return badInput(...repeated)
  return await undoUnless(call.db, async (tx) => {
    await lockTree(tx)
    const codes = read.value.flatMap(({ row }) => (row.parent === undefined ? [row.code] : [row.code, row.parent]))
    const known = await findOrgUnitsByCode(tx, codes)
    const ordered = parentsFirst(read.value, known)
    if (!ordered.ok) return ordered
    return await writeUnits(tx, call, ordered.value, known)
  })
}

async function writeUnits(
  tx: Db,
  call: Call,
  rows: readonly CsvRow<OrgUnitCsvRow>[],
  known: Map<string, OrgUnitRow>,
): Promise<Answer<ImportResult>> {
  const result = { created: 0, updated: 0, unchanged: 0 }
  for (const { row } of rows) {
    const before = known.get(row.code)
    const parentId = row.parent === undefined ? null : known.get(row.parent)?.id
    if (before?.name === row.name && before.parent_id === parentId) {
      result.unchanged += 1
      continue
    }
    const written =
      before === undefined
        ? await addUnit(tx, call, { code: row.code, name: row.name, parentId })
        : await changeUnit(tx, call, { orgUnitId: before.id, name: row.name, parentId })
    if (!written.ok) return written
    known.set(row.code, written.value)
    result[before === undefined ? 'created' : 'updated'] += 1
  }
  return ok(result)
}

/** The rows so that a parent of the same file comes before its children; a circle or an unknown parent is a problem. */
export function parentsFirst(
  rows: readonly CsvRow<OrgUnitCsvRow>[],
  known: ReadonlyMap<string, unknown>,
): Answer<CsvRow<OrgUnitCsvRow>[]> {
  const ordered: CsvRow<OrgUnitCsvRow>[] = []
  const placed = new Set<string>()
  const inFile = new Set(rows.map(({ row }) => row.code))
  let waiting = [...rows]
  while (waiting.length > 0) {
    const free = waiting.filter(
      ({ row: { parent } }) => parent === undefined || placed.has(parent) || (known.has(parent) && !inFile.has(parent)),
    )
    if (free.length === 0) return badInput(...waiting.map((row) => parentProblem(row, inFile)))
    for (const row of free) placed.add(row.row.code)
    ordered.push(...free)
    waiting = waiting.filter(({ row }) => !placed.has(row.code))
  }
  return ok(ordered)
}

function parentProblem({ line, row }: CsvRow<OrgUnitCsvRow>, inFile: ReadonlySet<string>): InputProblem {
  const problem = inFile.has(row.parent ?? '') ? 'lies in a circle or below an unknown unit' : 'is no org unit in force'
  return { line, field: 'parent', problem: `${row.parent ?? ''} ${problem}` }
}
