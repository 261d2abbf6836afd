import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { migrate } from '@bascule/postgres/migrate.ts'
import type { MigrateOutcome } from '@bascule/postgres/migrate.ts'
import { readMigrations } from '@bascule/postgres/migration-files.ts'
import type { MigrationFile } from '@bascule/postgres/migration-files.ts'
import type { ClientConfig } from 'pg'

const packageFolder = new URL('../../../', import.meta.url)

/** The version of this server, which migrations may ask for. */
export function readServerVersion(): string {
  const text = readFileSync(new URL('package.json', packageFolder), 'utf8')
  return (JSON.parse(text) as { readonly version: string }).version
}

export function readServerMigrations(): readonly MigrationFile[] {
  return readMigrations(fileURLToPath(new URL('migrations/', packageFolder)))
}

/** Brings the database to the schema of this server, or throws a refusal that says why the two do not fit. */
export async function migrateDatabase(connection: ClientConfig): Promise<MigrateOutcome> {
  return await migrate(connection, { files: readServerMigrations(), programVersion: readServerVersion() })
}
