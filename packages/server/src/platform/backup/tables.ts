import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'

import { escapeIdentifier } from 'pg'
import type { Client } from 'pg'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'

import { measureStream, saveStream } from './copy-file.ts'
import type { Measure } from './copy-file.ts'
import type { Manifest, SavedTable } from './manifest.ts'

export interface TableShape {
  readonly schema: string
  readonly name: string
  readonly columns: readonly string[]
}

type Sequence = Manifest['sequences'][number]

const ours = `n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_(toast|temp)'`

/** Every table that holds rows, partitions singly, with the columns that a copy may write. */
export async function listTables(client: Client): Promise<readonly TableShape[]> {
  const { rows } = await client.query<TableShape>(`
    select n.nspname as schema, c.relname as name,
      array(select a.attname::text from pg_attribute a where a.attrelid = c.oid and a.attnum > 0
        and not a.attisdropped and a.attgenerated = '' order by a.attnum) as columns
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and c.relpersistence = 'p' and ${ours}
      and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
    order by 1, 2`)
  return rows
}

/** The sequences that were ever used, read after the tables: they may run ahead of the rows and never behind. */
export async function listSequences(client: Client): Promise<readonly Sequence[]> {
  const { rows } = await client.query<Sequence>(`
    select schemaname as schema, sequencename as name, last_value::text as "lastValue" from pg_sequences
    where last_value is not null order by 1, 2`)
  return rows
}

export async function setSequences(client: Client, sequences: readonly Sequence[]): Promise<void> {
  for (const { schema, name, lastValue } of sequences) {
    await client.query('select setval($1::regclass, $2::bigint)', [quoted({ schema, name }), lastValue])
  }
}

/** Writes the rows of one table as the transaction of this client sees them. */
export async function saveTable(client: Client, table: TableShape, folder: string): Promise<SavedTable> {
  const path = `tables/${encodeURIComponent(table.schema)}.${encodeURIComponent(table.name)}.copy`
  const rows = client.query(copyTo(copyOut(table)))
  const measure = await saveStream(rows, join(folder, path))
  return { ...table, columns: [...table.columns], path, rows: rows.rowCount, ...measure }
}

/** Fills one empty table and returns how many rows it took. */
export async function fillTable(client: Client, table: SavedTable, folder: string): Promise<number> {
  const sink = client.query(copyFrom(`copy ${target(table)} from stdin (format binary)`))
  await pipeline(createReadStream(join(folder, table.path), { highWaterMark: 256 * 1024 }), sink)
  return sink.rowCount
}

/** What a copy of the table as it is now would weigh: equal rows in equal order give an equal digest. */
export async function measureTable(client: Client, table: TableShape): Promise<Measure> {
  return await measureStream(client.query(copyTo(copyOut(table))))
}

export function quoted({ schema, name }: { readonly schema: string; readonly name: string }): string {
  return `${escapeIdentifier(schema)}.${escapeIdentifier(name)}`
}

function target(table: TableShape): string {
  return `${quoted(table)} (${table.columns.map(escapeIdentifier).join(', ')})`
}

function copyOut(table: TableShape): string {
  return `copy ${target(table)} to stdout (format binary)`
}
