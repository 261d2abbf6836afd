import { startRefusal } from '@bascule/postgres/refusal.ts'
import { Kysely, PostgresDialect } from 'kysely'
import { Pool } from 'pg'
import type { ClientConfig } from 'pg'

import type { Database, Db } from './database.ts'
import { openHotConnection } from './hot-connection.ts'
import type { HotConnection } from './hot-connection.ts'
import { instrument } from './statements.ts'
import type { StatementListener } from './statements.ts'
import { typeParsers } from './type-parsers.ts'

export interface ConnectOptions {
  /** The address of an embedded PostgreSQL, or `{ connectionString }`. */
  readonly connection: ClientConfig
  readonly poolSize?: number
  /** Told when an idle connection was lost; the pool opens another by itself. */
  readonly onLost?: (error: Error) => void
}

export interface DatabaseHandle extends AsyncDisposable {
  readonly db: Db
  /** For what thousands of devices ask for; see `openHotConnection`. */
  readonly hot: HotConnection
  /** For who needs a connection of their own, as LISTEN does. */
  readonly connection: ClientConfig
  readonly listeners: Set<StatementListener>
}

const oldestVersion = 15

/** Connects to a PostgreSQL that runs already. Throws a `postgres-too-old` refusal below version 15. */
export async function connect(options: ConnectOptions): Promise<DatabaseHandle> {
  const listeners = new Set<StatementListener>()
  const life = { isClosing: false }
  const pool = openPool(options, listeners, life)
  try {
    refuseOldVersion(await readVersion(pool))
  } catch (error) {
    await pool.end()
    throw error
  }
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) })
  const hot = openHotConnection(options.connection, listeners)
  return {
    db,
    hot,
    connection: options.connection,
    listeners,
    async [Symbol.asyncDispose]() {
      life.isClosing = true
      await hot[Symbol.asyncDispose]()
      await db.destroy()
    },
  }
}

function openPool(
  { connection, poolSize = 10, onLost }: ConnectOptions,
  listeners: Set<StatementListener>,
  life: { readonly isClosing: boolean },
): Pool {
  const config = { ...connection, types: typeParsers, max: poolSize, application_name: 'bascule' }
  const pool = new Pool(config)
  pool.on('connect', (client) => instrument(client, listeners))
  // Without a listener a restart of the database would end the process.
  // While closing, sockets end a moment after the pool has; the database going away then is no loss.
  pool.on('error', (error) => life.isClosing || onLost?.(error))
  return pool
}

async function readVersion(pool: Pool): Promise<ServerVersion> {
  const { rows } = await pool.query<ServerVersion>(
    "select current_setting('server_version_num')::int as number, current_setting('server_version') as version",
  )
  return rows[0] ?? { number: 0, version: 'of an unknown version' }
}

interface ServerVersion {
  /** `180004` for 18.4. */
  readonly number: number
  readonly version: string
}

/** Throws the refusal that names both versions and what to do. */
export function refuseOldVersion({ number, version }: ServerVersion): void {
  if (number >= oldestVersion * 10_000) return
  throw startRefusal(
    'postgres-too-old',
    `The database is PostgreSQL ${version}; Bascule needs ${oldestVersion} or newer. ` +
      'Upgrade it, or unset BASCULE_DATABASE_URL to use the PostgreSQL that comes with Bascule.',
  )
}
