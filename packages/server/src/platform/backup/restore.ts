import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'

import { startEmbeddedPostgres } from '@bascule/postgres/embedded-postgres.ts'
import { lockFolder } from '@bascule/postgres/folder-lock.ts'
import { migrate } from '@bascule/postgres/migrate.ts'
import type { MigrationFile } from '@bascule/postgres/migration-files.ts'
import { startRefusal } from '@bascule/postgres/refusal.ts'
import { Client } from 'pg'
import type { ClientConfig } from 'pg'

import { readServerMigrations, readServerVersion } from '#/platform/db/migrate.ts'
import { copyFile, measureFile } from './copy-file.ts'
import { damaged, readManifest } from './manifest.ts'
import type { Manifest, SavedFile, SavedTable } from './manifest.ts'
import { skipNumbers } from './skip-numbers.ts'
import { fillTable, listTables, measureTable, quoted, setSequences } from './tables.ts'

export interface RestoreOptions {
  readonly from: string
  /** A folder that does not exist yet, or is empty. */
  readonly dataFolder: string
  /** What this program brings; the migrations of the server unless a test says otherwise. */
  readonly migrations?: readonly MigrationFile[]
  readonly now: Temporal.Instant
}

export interface RestoreOutcome {
  readonly manifest: Manifest
  /** Nobody has seen this one before: what the server said after the backup is not taken for the present. */
  readonly epoch: string
  /** Migrations that are newer than the backup. */
  readonly migrated: readonly string[]
}

const unfinishedPrefix = 'restoring-'

/**
 * Makes a data folder from a backup. Everything is checked before the first byte is written, again after it was
 * filled in, and once more by a second start; the parts get their names last, the database last of all, so a restore
 * that was cut off leaves no folder that a server would take for whole.
 */
export async function restore(options: RestoreOptions): Promise<RestoreOutcome> {
  const from = resolve(options.from)
  const files = options.migrations ?? readServerMigrations()
  const manifest = await readManifest(from)
  const known = migrationsOf(manifest, files)
  for (const file of [...manifest.tables, ...manifest.files]) await verifyFile(from, file)

  const dataFolder = resolve(options.dataFolder)
  await refuseIfFilled(dataFolder)
  await mkdir(dataFolder, { recursive: true })
  using _lock = lockFolder(dataFolder)
  await removeUnfinished(dataFolder)
  const unfinished = join(dataFolder, `${unfinishedPrefix}${process.pid}`)
  await mkdir(unfinished, { mode: 0o755 })
  try {
    await copyFiles(from, unfinished, manifest)
    const outcome = await restoreDatabase(from, unfinished, manifest, { known, all: files, now: options.now })
    await verifyStart(unfinished, outcome.epoch)
    await moveIntoPlace(unfinished, dataFolder)
    return { manifest, ...outcome }
  } finally {
    await rm(unfinished, { recursive: true, force: true })
  }
}

/** The migrations that the backup was made after; they must be the beginning of what this program brings. */
function migrationsOf(manifest: Manifest, files: readonly MigrationFile[]): readonly MigrationFile[] {
  return manifest.migrations.map(({ name, sha256 }, index) => {
    const file = files[index]
    if (file?.name === name && file.sha256 === sha256) return file
    throw startRefusal(
      'program-too-old',
      `The backup was made by Bascule ${manifest.serverVersion} with the migration ${name}, which this program ` +
        `(${readServerVersion()}) does not bring. Restore it with the program that made it, or with a newer one.`,
    )
  })
}

async function verifyFile(folder: string, file: SavedFile): Promise<void> {
  const found = await measureFile(join(folder, file.path)).catch((error: unknown) => {
    throw damaged(file.path, 'it cannot be read', error)
  })
  if (found.sizeBytes !== file.sizeBytes) {
    throw damaged(file.path, `it has ${found.sizeBytes} bytes instead of ${file.sizeBytes}`)
  }
  if (found.sha256 !== file.sha256) throw damaged(file.path, 'its content is not what was saved')
}

async function refuseIfFilled(dataFolder: string): Promise<void> {
  const names = await readdir(dataFolder).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  })
  if (names.every((name) => name.startsWith(unfinishedPrefix) || name.startsWith('bascule.lock'))) return
  throw startRefusal(
    'folder-not-empty',
    `The data folder ${dataFolder} is not empty; a restore never overwrites. Name an empty or new folder.`,
  )
}

/** What a restore left behind that was cut off; the lock of the folder says that none is under way. */
async function removeUnfinished(dataFolder: string): Promise<void> {
  for (const name of await readdir(dataFolder)) {
    if (name.startsWith(unfinishedPrefix)) await rm(join(dataFolder, name), { recursive: true, force: true })
  }
}

async function copyFiles(from: string, to: string, manifest: Manifest): Promise<void> {
  for (const file of manifest.files) {
    const { sha256 } = await copyFile(join(from, file.path), join(to, file.path), file.mode)
    if (sha256 !== file.sha256) throw damaged(file.path, 'it changed while it was restored')
  }
}

interface RestorePlan {
  /** The migrations that the backup was made after, and all that this program brings. */
  readonly known: readonly MigrationFile[]
  readonly all: readonly MigrationFile[]
  readonly now: Temporal.Instant
}

async function restoreDatabase(
  from: string,
  dataFolder: string,
  manifest: Manifest,
  { known, all, now }: RestorePlan,
): Promise<{ readonly epoch: string; readonly migrated: readonly string[] }> {
  await using postgres = await startEmbeddedPostgres({ dataFolder })
  const programVersion = readServerVersion()
  await migrate(postgres.address, { files: known, programVersion })
  const epoch = await withClient(postgres.address, (client) => fillDatabase(client, from, manifest, now))
  const { applied } = await migrate(postgres.address, { files: all, programVersion })
  await withClient(postgres.address, (client) => client.query('analyze'))
  return { epoch, migrated: applied }
}

/** All tables in one transaction, without triggers: the rows were right when they were saved. */
async function fillDatabase(client: Client, from: string, manifest: Manifest, now: Temporal.Instant): Promise<string> {
  await client.query('set synchronize_seqscans = off')
  await client.query('begin')
  await client.query('set local session_replication_role = replica')
  await emptyAllTables(client)
  for (const table of manifest.tables) await restoreTable(client, table, from)
  await setSequences(client, manifest.sequences)
  await skipNumbers(client, now)
  const epoch = await renewEpoch(client)
  await client.query('commit')
  return epoch
}

/** Migrations may have put rows into new tables; the backup has these rows as they were later. */
async function emptyAllTables(client: Client): Promise<void> {
  const tables = await listTables(client)
  await client.query(`truncate ${tables.map(quoted).join(', ')}`)
}

async function restoreTable(client: Client, table: SavedTable, from: string): Promise<void> {
  const rows = await fillTable(client, table, from).catch((error: unknown) => {
    throw damaged(table.path, `PostgreSQL does not take it: ${String(error)}`, error)
  })
  if (rows !== table.rows) throw damaged(table.path, `${rows} rows came in, ${table.rows} were saved`)
  const { sha256 } = await measureTable(client, table)
  if (sha256 !== table.sha256) throw damaged(table.path, 'the rows in the database are not the rows that were saved')
}

async function renewEpoch(client: Client): Promise<string> {
  const epoch = randomUUID()
  const { rowCount } = await client.query('update public.server_meta set epoch = $1', [epoch])
  if (rowCount !== 1) throw new Error(`server_meta has ${rowCount} rows instead of one`)
  return epoch
}

/** The restored folder must start again by itself, and it must be the one that was filled. */
async function verifyStart(dataFolder: string, epoch: string): Promise<void> {
  await using postgres = await startEmbeddedPostgres({ dataFolder })
  const { rows } = await withClient(postgres.address, (client) =>
    client.query<{ epoch: string }>('select epoch::text from public.server_meta'),
  )
  if (rows[0]?.epoch !== epoch) throw new Error('The restored database does not start with what was restored into it')
}

async function moveIntoPlace(unfinished: string, dataFolder: string): Promise<void> {
  const names = await readdir(unfinished)
  const databaseLast = names.sort((a, b) => Number(a.startsWith('pg')) - Number(b.startsWith('pg')))
  for (const name of databaseLast) await rename(join(unfinished, name), join(dataFolder, name))
  await rmdir(unfinished)
}

async function withClient<T>(connection: ClientConfig, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ ...connection, application_name: 'bascule-restore' })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
