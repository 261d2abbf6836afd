import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'

import { connectionStringOf } from '@bascule/postgres/embedded-postgres.ts'
import type { PostgresAddress } from '@bascule/postgres/embedded-postgres.ts'
import { hashMigrations, readMigrations } from '@bascule/postgres/migration-files.ts'
import type { MigrationFile } from '@bascule/postgres/migration-files.ts'
import { migrate } from '@bascule/postgres/migrate.ts'
import { Client } from 'pg'
import { inject } from 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the PostgreSQL of this run listens; `pg-global-setup.ts` provides it. */
    readonly postgres: PostgresAddress
  }
}

export interface TestDatabase extends AsyncDisposable {
  readonly address: PostgresAddress
  readonly connectionString: string
}

const migrationsFolder = fileURLToPath(new URL('../../server/migrations', import.meta.url))

/** The newest program there can be: the schema of a test never refuses it. */
const programVersion = '9999'

export interface TestDatabaseOptions {
  /** Only the migrations up to this number: the schema as an earlier server left it. */
  readonly upTo?: number
}

/** A fresh database with the schema of the server and no rows of others; gone when the scope ends. */
export async function createTestDatabase({ upTo = Infinity }: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const files = readMigrations(migrationsFolder).filter((file) => Number(file.name.slice(0, 4)) <= upTo)
  const template = `template_${hashMigrations(files).slice(0, 16)}`
  return await createFrom(async (client, name) => {
    await ensureTemplate(client, template, files)
    await client.query(`create database ${name} template ${template} strategy file_copy`)
  })
}

/** A fresh database with nothing in it, for tests about migrations themselves. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  return await createFrom(async (client, name) => {
    await client.query(`create database ${name} template template0 strategy file_copy`)
  })
}

async function createFrom(create: (client: Client, name: string) => Promise<void>): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`
  const address = { ...inject('postgres'), database: name }
  await withMaintenance((client) => create(client, name))
  return {
    address,
    connectionString: connectionStringOf(address),
    async [Symbol.asyncDispose]() {
      await withMaintenance((client) => client.query(`drop database if exists ${name} with (force)`))
    },
  }
}

/**
 * Migrates once per set of migrations. A template is copied only when nobody is connected to it, so it is built under
 * another name and gets its own when it is complete.
 */
async function ensureTemplate(client: Client, template: string, files: readonly MigrationFile[]): Promise<void> {
  if (await exists(client, template)) return
  await client.query('select pg_advisory_lock(1)')
  try {
    if (await exists(client, template)) return
    const unfinished = `${template}_unfinished`
    await client.query(`drop database if exists ${unfinished} with (force)`)
    await client.query(`create database ${unfinished} template template0 strategy file_copy`)
    await migrate({ ...inject('postgres'), database: unfinished }, { files, programVersion })
    await client.query(`alter database ${unfinished} rename to ${template}`)
  } finally {
    await client.query('select pg_advisory_unlock(1)')
  }
}

async function exists(client: Client, name: string): Promise<boolean> {
  const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name])
  return rowCount === 1
}

async function withMaintenance<T>(work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ ...inject('postgres'), database: 'postgres' })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
