import type { InputProblem } from '@bascule/contract/lib/errors.ts'
import { ok } from '@bascule/domain/lib/result.ts'
import { CsvError, parse } from 'csv-parse/sync'
import type * as z from 'zod'
import { problemsFrom } from '#/platform/http/errors.ts'
import { badInput } from '#/platform/lib/answer.ts'
import type { Answer } from '#/platform/lib/answer.ts'

/** A row that was understood, with its line in the file for what is found wrong later. */
export interface CsvRow<Row> {
  readonly line: number
  readonly row: Row
}

const rowsMax = 100_000

/**
 * The rows of a CSV file, each checked by the schema; its keys are the columns. One bad row refuses the file, and every
 * bad row is named with line, column and problem. An empty cell counts as absent. Commas or semicolons, BOM or not.
 */
export function readCsv<Row>(text: string, schema: z.ZodType<Row>, columns: readonly string[]): Answer<CsvRow<Row>[]> {
  const records = parseRecords(text)
  if (!records.ok) return records
  const header = records.value[0]?.record.map((name) => name.trim().toLowerCase()) ?? []
  const unknown = header.filter((name) => !columns.includes(name))
  if (unknown.length > 0) {
    const known = columns.join(', ')
    return badInput(...unknown.map((field) => ({ line: 1, field, problem: `is no column here; there are ${known}` })))
  }
  if (records.value.length > rowsMax)
    return badInput({ field: 'file', problem: `has more than ${rowsMax} rows; split it` })
  const problems: InputProblem[] = []
  const rows: CsvRow<Row>[] = []
  for (const { line, record } of records.value.slice(1)) {
    const parsed = schema.safeParse(rowObject(header, record))
    if (parsed.success) rows.push({ line, row: parsed.data })
    else problems.push(...problemsFrom(parsed.error.issues).map((problem) => ({ line, ...problem })))
  }
  if (problems.length > 0) return badInput(...problems)
  return rows.length === 0 ? badInput({ field: 'file', problem: 'has no rows' }) : ok(rows)
}

interface ParsedRecord {
  readonly line: number
  readonly record: readonly string[]
}

function parseRecords(text: string): Answer<ParsedRecord[]> {
  const firstLine = text.slice(0, text.indexOf('\n') === -1 ? undefined : text.indexOf('\n'))
  const delimiter = firstLine.includes(';') && !firstLine.includes(',') ? ';' : ','
  try {
    const parsed = parse(text, { bom: true, delimiter, skip_empty_lines: true, info: true, trim: true }) as unknown as {
      info: { lines: number }
      record: string[]
    }[]
    return ok(parsed.map(({ info, record }) => ({ line: info.lines, record })))
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause
    const line = typeof cause['lines'] === 'number' ? cause['lines'] : undefined
    return badInput({ ...(line === undefined ? {} : { line }), field: 'file', problem: cause.message })
  }
}

function rowObject(header: readonly string[], record: readonly string[]): Record<string, string> {
  return Object.fromEntries(header.flatMap((name, at) => (record[at] ? [[name, record[at]]] : [])))
}

/** The rows whose key came before in the same file, as problems. */
export function repeatedKeys<Row>(rows: readonly CsvRow<Row>[], field: keyof Row & string): InputProblem[] {
  const lines = new Map<unknown, number>()
  return rows.flatMap(({ line, row }) => {
    const before = lines.get(row[field])
    lines.set(row[field], line)
    return before === undefined ? [] : [{ line, field, problem: `stands already in line ${before}` }]
  })
}

/** Rows in groups that fit into one statement. */
export function inGroups<Item>(items: readonly Item[], size = 500): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size))
}
