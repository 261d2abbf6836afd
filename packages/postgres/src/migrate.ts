import { Client } from 'pg'
import type { ClientConfig } from 'pg'

import type { MigrationFile } from './migration-files.ts'
import { planMigrations } from './migration-plan.ts'
import type { AppliedMigration } from './migration-plan.ts'

export interface MigrateOptions {
  readonly files: readonly MigrationFile[]
  /** `0.9.2`: the version of the program that wants to run on the database. */
  readonly programVersion: string
}

export interface MigrateOutcome {
  readonly applied: readonly string[]
  /** Migrations of a newer program that this one can live with. */
  readonly ahead: readonly string[]
}

/** One for all programs and all times; the number is only chosen to meet nobody else's. */
const advisoryLock = '7165322001'

/**
 * Brings the database forward, in one transaction: all pending migrations are applied or none. Programs that start at
 * once wait for each other and find nothing left to do. Throws a `StartRefusal` when database and program do not fit.
 *
 * A migration without `-- needs server >= …` needs the program that applied it: forgetting the line keeps an older
 * program out rather than letting it work on a schema it does not know.
 */
export async function migrate(connection: ClientConfig, options: MigrateOptions): Promise<MigrateOutcome> {
  const client = new Client({ ...connection, application_name: 'bascule-migrate' })
  await client.connect()
  try {
    await client.query('begin')
    const outcome = await migrateInTransaction(client, options)
    await client.query('commit')
    return outcome
  } finally {
    // Whatever was not committed goes with the connection.
    await client.end()
  }
}

async function migrateInTransaction(client: Client, options: MigrateOptions): Promise<MigrateOutcome> {
  await client.query(`select pg_advisory_xact_lock(${advisoryLock})`)
  await client.query(journalTable)
  const applied = await readJournal(client)
  const { pending, ahead } = planMigrations(options.files, applied, options.programVersion)
  for (const file of pending) await apply(client, file, options.programVersion)
  return { applied: pending.map((file) => file.name), ahead }
}

const journalTable = `
create table if not exists public.migration (
  name text primary key,
  sha256 text not null,
  needs_server text not null,
  applied_by text not null,
  applied_at timestamptz not null default now()
)`

async function readJournal(client: Client): Promise<readonly AppliedMigration[]> {
  const { rows } = await client.query<AppliedMigration>(
    'select name, sha256, needs_server as "needsServer" from public.migration order by name collate "C"',
  )
  return rows
}

async function apply(client: Client, file: MigrationFile, programVersion: string): Promise<void> {
  const before = await currentTransaction(client)
  try {
    await client.query(file.text)
  } catch (error) {
    throw new Error(`migration ${file.name}${lineOf(file.text, error)}: ${String(error)}`, { cause: error })
  }
  if ((await currentTransaction(client)) !== before) {
    throw new Error(`migration ${file.name} ends the transaction it runs in; it must not say commit or rollback`)
  }
  await client.query('insert into public.migration (name, sha256, needs_server, applied_by) values ($1, $2, $3, $4)', [
    file.name,
    file.sha256,
    file.needsServer ?? programVersion,
    programVersion,
  ])
}

async function currentTransaction(client: Client): Promise<string | undefined> {
  const { rows } = await client.query<{ id: string }>('select pg_current_xact_id()::text as id')
  return rows[0]?.id
}

function lineOf(text: string, error: unknown): string {
  const position = error instanceof Error && 'position' in error ? Number(error.position) : Number.NaN
  return Number.isNaN(position) ? '' : `, line ${text.slice(0, position).split('\n').length}`
}
