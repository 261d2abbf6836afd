import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { locateBinaries } from '@bascule/postgres/binaries.ts'
import { readVersion } from '@bascule/postgres/cluster-folder.ts'
import { findRunningPostgres } from '@bascule/postgres/embedded-postgres.ts'
import type { AppliedMigration } from '@bascule/postgres/migration-plan.ts'
import { planMigrations } from '@bascule/postgres/migration-plan.ts'
import { isStartRefusal } from '@bascule/postgres/refusal.ts'
import { chooseRunAs } from '@bascule/postgres/run-as.ts'
import { Client } from 'pg'
import type { ClientConfig } from 'pg'
import type { Config } from '#/platform/config.ts'
import { refuseOldVersion } from '#/platform/db/connect.ts'
import { readServerMigrations, readServerVersion } from '#/platform/db/migrate.ts'
import { nearestFolder } from './check-machine.ts'
import { fail, fine, warn, wordsOf } from './finding.ts'
import type { Look } from './finding.ts'

const connectTimeoutMs = 5000
const clockDifferenceMaxSeconds = 5

export async function checkPostgres(config: Config): Promise<Look> {
  if (config.databaseUrl !== undefined) return await checkExternal({ connectionString: config.databaseUrl })
  const binaries = locateBinaries()
  const runAs = chooseRunAs(binaries, nearestFolder(config.dataFolder))
  const version = await readVersion(binaries, runAs)
  const isRunning = findRunningPostgres(config.dataFolder) !== undefined
  return fine(`The embedded PostgreSQL ${version} ${isRunning ? 'runs' : 'can be started'} (${runAs.how}).`)
}

async function checkExternal(connection: ClientConfig): Promise<Look> {
  try {
    return await withClient(connection, judgeExternal)
  } catch (cause) {
    return fail(
      `The database at BASCULE_DATABASE_URL does not answer: ${wordsOf(cause)}.`,
      'See that it runs, that its name and port are right and that this account may connect.',
    )
  }
}

async function judgeExternal(client: Client): Promise<Look> {
  const { rows } = await client.query<{ number: number; version: string; now: string }>(
    `select current_setting('server_version_num')::int as number, current_setting('server_version') as version,
      to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as now`,
  )
  const row = rows[0]
  if (row === undefined) throw new Error('the database did not say its version')
  refuseOldVersion(row)
  const apart = Math.abs(Temporal.Now.instant().since(row.now).total('seconds'))
  if (apart > clockDifferenceMaxSeconds) {
    return warn(
      `PostgreSQL ${row.version} answers; its clock and ours are ${Math.round(apart)} seconds apart.`,
      'Keep both clocks set with chrony or systemd-timesyncd.',
    )
  }
  return fine(`The external PostgreSQL ${row.version} answers.`)
}

/** The history of the schema, read from a database that runs; nothing is started for this. */
export async function checkMigrations(config: Config): Promise<Look> {
  const { databaseUrl, dataFolder } = config
  const connection = databaseUrl === undefined ? findRunningPostgres(dataFolder) : { connectionString: databaseUrl }
  if (connection !== undefined) return await askAboutMigrations(connection)
  return fine(
    existsSync(join(dataFolder, 'pg18'))
      ? 'The database does not run now; the next start checks and migrates it.'
      : 'There is no database yet; the first start makes it.',
  )
}

async function askAboutMigrations(connection: ClientConfig): Promise<Look> {
  try {
    return await withClient(connection, judgeMigrations)
  } catch (cause) {
    // A refusal says what to do; anything else is the database, which has a finding of its own.
    if (isStartRefusal(cause)) throw cause
    return warn(`The database could not be asked: ${wordsOf(cause)}`, 'See what is said about postgresql.')
  }
}

async function judgeMigrations(client: Client): Promise<Look> {
  const { rows } = await client.query<{ known: boolean }>("select to_regclass('public.migration') is not null as known")
  const applied = rows[0]?.known ? await appliedMigrations(client) : []
  const { pending, ahead } = planMigrations(readServerMigrations(), applied, readServerVersion())
  if (ahead.length > 0) {
    return warn(
      `A newer server migrated the database (${ahead.join(', ')}); this one can still work on it.`,
      'Upgrade this server when the others are upgraded.',
    )
  }
  if (pending.length > 0) return fine(`The next start applies ${pending.length} migrations; take a backup before.`)
  return fine(`The schema is the one of this server (${applied.length} migrations).`)
}

async function appliedMigrations(client: Client): Promise<readonly AppliedMigration[]> {
  const { rows } = await client.query<AppliedMigration>(
    'select name, sha256, needs_server as "needsServer" from public.migration order by name collate "C"',
  )
  return rows
}

async function withClient<T>(connection: ClientConfig, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({
    ...connection,
    application_name: 'bascule-doctor',
    connectionTimeoutMillis: connectTimeoutMs,
  })
  try {
    await client.connect()
    return await work(client)
  } finally {
    await client.end()
  }
}
