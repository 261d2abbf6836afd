import { mkdir, readdir, realpath, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'

import { startRefusal } from '@bascule/postgres/refusal.ts'
import { Client } from 'pg'
import type { ClientConfig } from 'pg'

import { readServerVersion } from '#/platform/db/migrate.ts'
import { saveDataFiles } from './data-files.ts'
import { writeManifest } from './manifest.ts'
import type { Manifest } from './manifest.ts'
import { listSequences, listTables, saveTable } from './tables.ts'

export interface BackupOptions {
  readonly connection: ClientConfig
  readonly dataFolder: string
  /** A folder that does not exist yet, or is empty. It appears only when the backup is complete. */
  readonly to: string
  readonly now: Temporal.Instant
}

/**
 * Saves everything while the server goes on working: every table from one snapshot, then blobs and keys. The backup
 * holds the keys of the signer, so it is as secret as the data folder.
 */
export async function backup({ connection, dataFolder, to, now }: BackupOptions): Promise<Manifest> {
  const target = resolve(to)
  await refuseIfFilled(target)
  await mkdir(dirname(target), { recursive: true })
  const unfinished = join(await realpath(dirname(target)), `.bascule-backup-${process.pid}`)
  try {
    await mkdir(unfinished, { mode: 0o700 })
    const manifest = await saveInto(unfinished, connection, dataFolder, now)
    await rename(unfinished, target)
    return manifest
  } finally {
    await rm(unfinished, { recursive: true, force: true })
  }
}

async function saveInto(
  folder: string,
  connection: ClientConfig,
  dataFolder: string,
  now: Temporal.Instant,
): Promise<Manifest> {
  const database = await saveDatabase(folder, connection)
  const files = await saveDataFiles(dataFolder, folder)
  const manifest: Manifest = {
    format: 'bascule-backup',
    formatVersion: 1,
    madeAt: now.toString(),
    serverVersion: readServerVersion(),
    ...database,
    files,
  }
  await writeManifest(folder, manifest)
  return manifest
}

type DatabasePart = Pick<Manifest, 'postgresVersion' | 'migrations' | 'tables' | 'sequences'>

async function saveDatabase(folder: string, connection: ClientConfig): Promise<DatabasePart> {
  const client = new Client({ ...connection, application_name: 'bascule-backup' })
  await client.connect()
  try {
    // Otherwise a scan may begin in the middle of a large table, and equal tables give unequal copies.
    await client.query('set synchronize_seqscans = off')
    await client.query('begin isolation level repeatable read, read only')
    return await saveSnapshot(client, folder)
  } finally {
    await client.end()
  }
}

async function saveSnapshot(client: Client, folder: string): Promise<DatabasePart> {
  const { rows: migrations } = await client.query<Manifest['migrations'][number]>(
    'select name, sha256 from public.migration order by name collate "C"',
  )
  const { rows: versions } = await client.query<{ version: string }>(
    "select current_setting('server_version') as version",
  )
  const tables: Manifest['tables'] = []
  for (const table of await listTables(client)) tables.push(await saveTable(client, table, folder))
  const sequences = [...(await listSequences(client))]
  return { postgresVersion: versions[0]?.version ?? '', migrations, tables, sequences }
}

async function refuseIfFilled(folder: string): Promise<void> {
  const entries = await readdir(folder).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  })
  if (entries.length === 0) return
  throw startRefusal('folder-not-empty', `The folder ${folder} is not empty; name a new folder for the backup.`)
}
