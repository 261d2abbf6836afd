import { startEmbeddedPostgres } from '@bascule/postgres/embedded-postgres.ts'
import type { ClientConfig } from 'pg'
import type { Logger } from 'pino'

import { connect } from './connect.ts'
import type { DatabaseHandle } from './connect.ts'
import { migrateDatabase } from './migrate.ts'

export interface OpenDatabaseOptions {
  readonly dataFolder: string
  /** An external PostgreSQL; with it nothing is started. */
  readonly databaseUrl: string | undefined
  readonly log: Logger
}

export interface OpenDatabase extends DatabaseHandle {
  /** Resolves with how the embedded PostgreSQL ended; the server cannot go on then. Never for an external one. */
  readonly ended: Promise<string>
}

/** The database of a server that starts: running, of a version that fits, migrated. The scope's end stops all of it. */
export async function openDatabase({ dataFolder, databaseUrl, log }: OpenDatabaseOptions): Promise<OpenDatabase> {
  await using held = new AsyncDisposableStack()
  const source = databaseUrl === undefined ? held.use(await startOwn(dataFolder, log)) : external(databaseUrl)
  const onLost = (error: Error): void => log.warn({ err: error }, 'a database connection was lost')
  const handle = held.use(await connect({ connection: source.connection, onLost }))
  const { applied, ahead } = await migrateDatabase(source.connection)
  if (applied.length > 0) log.info({ applied }, 'the database was migrated')
  if (ahead.length > 0) log.warn({ ahead }, 'a newer server migrated the database; this one can still work on it')
  const all = held.move()
  return { ...handle, ended: source.ended, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

interface Source {
  readonly connection: ClientConfig
  readonly ended: Promise<string>
}

async function startOwn(dataFolder: string, log: Logger): Promise<Source & AsyncDisposable> {
  const postgres = await startEmbeddedPostgres({ dataFolder, log: (line) => log.debug({ line }, 'postgres') })
  log.info({ version: postgres.version, pid: postgres.pid }, 'the embedded database runs')
  return {
    connection: postgres.address,
    ended: postgres.ended,
    [Symbol.asyncDispose]: () => postgres[Symbol.asyncDispose](),
  }
}

function external(databaseUrl: string): Source {
  return { connection: { connectionString: databaseUrl }, ended: new Promise(() => undefined) }
}
