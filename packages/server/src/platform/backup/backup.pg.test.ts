import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { startEmbeddedPostgres } from '@bascule/postgres/embedded-postgres.ts'
import { migrate } from '@bascule/postgres/migrate.ts'
import { createTestDatabase } from '@bascule/testkit/test-database.ts'
import type { TestDatabase } from '@bascule/testkit/test-database.ts'
import { Client } from 'pg'
import type { ClientConfig } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { readServerMigrations } from '#/platform/db/migrate.ts'
import { backup } from './backup.ts'
import type { Manifest } from './manifest.ts'
import { restore } from './restore.ts'

const now = Temporal.Instant.from('2026-11-23T18:00:00Z')
const migrations = readServerMigrations().slice(0, 1)
const blob = Buffer.from('the bytes of a package')
const digest = createHash('sha256').update(blob).digest('hex')
const blobPath = `blobs/sha256/${digest.slice(0, 2)}/${digest}`

let folder: string
let dataFolder: string
let saved: string
let database: TestDatabase
let client: Client
let manifest: Manifest

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bascule-backup-'))
  dataFolder = join(folder, 'data')
  saved = join(folder, 'saved')
  writeDataFiles()
  database = await createTestDatabase({ upTo: 1 })
  client = new Client(database.address)
  await client.connect()
  await client.query(`insert into ledger (at, actor_kind, actor_id, actor_name, did, subject_kind, subject_id, after)
    select now(), 'person', 'p1', 'Ann', 'release.created', 'release', n::text, jsonb_build_object('n', n, 'text', e'a\\tb\\\\ü')
    from generate_series(1, 3000) n`)
  await client.query(`insert into timer (kind, key, due_at) values ('never', '', 'infinity'), ('soon', 'x', now())`)
  manifest = await backup({ connection: database.address, dataFolder, to: saved, now })
})

afterAll(async () => {
  await client.end()
  await database[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

function writeDataFiles(): void {
  mkdirSync(join(dataFolder, blobPath, '..'), { recursive: true })
  mkdirSync(join(dataFolder, 'signer'), { recursive: true })
  writeFileSync(join(dataFolder, blobPath), blob)
  writeFileSync(join(dataFolder, 'blobs', 'upload-under-way'), 'half')
  writeFileSync(join(dataFolder, 'signer', 'director.pem'), 'a key', { mode: 0o600 })
  writeFileSync(join(dataFolder, 'signer', 'bascule.lock'), 'a lock')
}

async function rowsOf(connection: ClientConfig): Promise<unknown> {
  const other = new Client(connection)
  await other.connect()
  try {
    const texts: unknown[] = []
    for (const table of ['ledger', 'ledger_unsealed', 'timer', 'migration', 'outbox', 'ledger_seal']) {
      const { rows } = await other.query<Record<string, unknown>>(`select t::text from ${table} t order by 1`)
      texts.push(rows)
    }
    return texts
  } finally {
    await other.end()
  }
}

async function epochOf(connection: ClientConfig): Promise<string | undefined> {
  const other = new Client(connection)
  await other.connect()
  try {
    return (await other.query<{ epoch: string }>('select epoch::text from server_meta')).rows[0]?.epoch
  } finally {
    await other.end()
  }
}

test('what was saved comes back row for row and file for file, under a new epoch', async () => {
  const restored = join(folder, 'restored')
  const outcome = await restore({ from: saved, dataFolder: restored, migrations, now })
  await using postgres = await startEmbeddedPostgres({ dataFolder: restored })

  expect(await rowsOf(postgres.address)).toEqual(await rowsOf(database.address))
  expect(await epochOf(postgres.address)).toBe(outcome.epoch)
  expect(outcome.epoch).not.toBe(await epochOf(database.address))
  expect(readFileSync(join(restored, blobPath))).toEqual(blob)
  expect(statSync(join(restored, 'signer', 'director.pem')).mode & 0o777).toBe(0o600)
  expect(existsSync(join(restored, 'signer', 'bascule.lock'))).toBe(false)
  expect(readdirSync(join(restored, 'blobs'))).toEqual(['sha256'])
})

test('nobody but the owner reads any file of a backup', () => {
  const files = readdirSync(saved, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const own = files.filter(({ parentPath, name }) => !join(parentPath, name).includes('blobs'))
  expect(own.map(({ name }) => name)).toContain('manifest.json')
  for (const { parentPath, name } of own) expect(statSync(join(parentPath, name)).mode & 0o077, name).toBe(0)
})

test('a restored server numbers on where the old one was, and its ledger still refuses changes', async () => {
  const restored = join(folder, 'restored-on')
  await restore({ from: saved, dataFolder: restored, migrations, now })
  await using postgres = await startEmbeddedPostgres({ dataFolder: restored })
  const other = new Client(postgres.address)
  await other.connect()
  const { rows } = await other.query<{ id: string }>(`
    insert into ledger (at, actor_kind, actor_id, actor_name, did, subject_kind, subject_id)
    values (now(), 'system', 's', 'S', 'server.restored', 'server', '1') returning id`)
  const { rowCount } = await other.query('select 1 from ledger_unsealed where ledger_id = $1', [rows[0]?.id])
  await expect(other.query('delete from ledger')).rejects.toThrow(/append-only/)
  await other.end()
  expect(rows).toEqual([{ id: '3001' }])
  expect(rowCount).toBe(1)
})

test('migrations that are newer than the backup are applied after it', async () => {
  const text = 'create table newer as select count(*) as facts from ledger;'
  const newer = { name: '0002_newer.sql', text, sha256: 'b', needsServer: undefined }
  const restored = join(folder, 'restored-newer')
  const outcome = await restore({ from: saved, dataFolder: restored, migrations: [...migrations, newer], now })
  expect(outcome.migrated).toEqual(['0002_newer.sql'])
  await using postgres = await startEmbeddedPostgres({ dataFolder: restored })
  const other = new Client(postgres.address)
  await other.connect()
  const { rows } = await other.query<Record<string, unknown>>('select facts::int from newer')
  await other.end()
  expect(rows).toEqual([{ facts: 3000 }])
})

test('no number that a device may have seen after the backup is ever given again, not even after two restores', async () => {
  await using whole = await createTestDatabase()
  await numbersOf(whole.address)
  const to = join(folder, 'numbers')
  await backup({ connection: whole.address, dataFolder, to, now })
  let highest = await numbersOf(whole.address, 300)
  for (const at of [now, now.add({ minutes: 5 })]) {
    const restored = mkdtempSync(join(folder, 'restored-'))
    await restore({ from: to, dataFolder: restored, now: at })
    await using postgres = await startEmbeddedPostgres({ dataFolder: restored })
    const next = await numbersOf(postgres.address)
    expect(next.generation).toBeGreaterThan(highest.generation)
    expect(next.job).toBeGreaterThan(highest.job)
    expect(next.release).toBeGreaterThan(300)
    expect(next.counter).toBeGreaterThan(300)
    highest = await numbersOf(postgres.address, 10_000)
  }
}, 120_000)

async function numbersOf(connection: ClientConfig, times = 1) {
  const other = new Client(connection)
  await other.connect()
  try {
    await other.query(`insert into product_line (id, code, name, created_at)
      values (gen_random_uuid(), 'line', 'Line', now()) on conflict do nothing`)
    await other.query('update product_line set counter = counter + $1', [times])
    const { rows } = await other.query<Record<'generation' | 'job' | 'release' | 'counter', number>>(
      `select max(nextval('assignment_generation'))::float8 as generation, max(nextval('job_id'))::float8 as job,
        max(nextval('release_number'))::float8 as release, (select counter from product_line) as counter
      from generate_series(1, $1::int)`,
      [times],
    )
    if (rows[0] === undefined) throw new Error('no numbers')
    return rows[0]
  } finally {
    await other.end()
  }
}

test('a backup made while rows are written is of one moment', async () => {
  const done = new AbortController()
  const writing = (async () => {
    while (!done.signal.aborted) {
      await client.query(`with l as (insert into ledger (at, actor_kind, actor_id, actor_name, did, subject_kind, subject_id)
        values (now(), 'person', 'p1', 'Ann', 'release.changed', 'release', 'x') returning id)
        insert into outbox (sink, topic, payload) select 'test', 'release', jsonb_build_object('ledger', id) from l`)
    }
  })()
  const before = rowsIn(manifest, 'ledger')
  const online = await backup({ connection: database.address, dataFolder, to: join(folder, 'online'), now })
  done.abort()
  await writing
  expect(rowsIn(online, 'ledger') - before).toBe(rowsIn(online, 'outbox'))
  expect(rowsIn(online, 'ledger_unsealed')).toBe(rowsIn(online, 'ledger'))
})

function rowsIn(of: Manifest, table: string): number {
  return of.tables.find((each) => each.name === table)?.rows ?? Number.NaN
}

const damages: readonly (readonly [string, (copy: string) => string])[] = [
  ['a changed byte in a table', (copy) => changeByte(copy, 'tables/public.ledger.copy')],
  ['a changed byte in a blob', (copy) => changeByte(copy, blobPath)],
  ['a changed byte in the manifest', (copy) => changeByte(copy, 'manifest.json')],
  ['a missing key', (copy) => remove(copy, 'signer/director.pem')],
  ['a table cut short', (copy) => cutShort(copy, 'tables/public.ledger_unsealed.copy')],
]

test.each(damages)('%s is refused by the name of the file, and nothing is restored', async (_what, damage) => {
  const copy = mkdtempSync(join(folder, 'damaged-'))
  cpSync(saved, copy, { recursive: true })
  const file = damage(copy)
  const target = join(copy, 'target')
  const refused = restore({ from: copy, dataFolder: target, migrations, now })
  await expect(refused).rejects.toMatchObject({
    code: 'backup-damaged',
    message: expect.stringContaining(file) as string,
  })
  expect(existsSync(target)).toBe(false)
})

function changeByte(copy: string, file: string): string {
  const bytes = readFileSync(join(copy, file))
  const middle = bytes.length >> 1
  bytes[middle] = (bytes[middle] ?? 0) ^ 1
  writeFileSync(join(copy, file), bytes)
  return file
}

function cutShort(copy: string, file: string): string {
  const bytes = readFileSync(join(copy, file))
  writeFileSync(join(copy, file), bytes.subarray(0, -1))
  return file
}

function remove(copy: string, file: string): string {
  rmSync(join(copy, file))
  return file
}

test('a restore that was cut off is repeated in the same folder, and never beside one that is under way', async () => {
  const target = join(folder, 'cut-off')
  mkdirSync(join(target, 'restoring-1', 'pg18'), { recursive: true })
  const first = restore({ from: saved, dataFolder: target, migrations, now })
  await expect.poll(() => existsSync(join(target, 'bascule.lock'))).toBe(true)
  const second = restore({ from: saved, dataFolder: target, migrations, now })
  await expect(second).rejects.toMatchObject({ code: 'data-folder-in-use' })
  await first
  expect(readdirSync(target).sort()).toEqual(['blobs', 'pg18', 'signer'])
})

test('neither a backup nor a restore goes into a folder that holds something', async () => {
  const refusal = { code: 'folder-not-empty' }
  await expect(backup({ connection: database.address, dataFolder, to: dataFolder, now })).rejects.toMatchObject(refusal)
  await expect(restore({ from: saved, dataFolder, migrations, now })).rejects.toMatchObject(refusal)
})

test('a blob that is damaged on the disk stops the backup, and no folder looks like one', async () => {
  const other = join(folder, 'other-data')
  cpSync(dataFolder, other, { recursive: true })
  writeFileSync(join(other, blobPath), 'other bytes')
  const to = join(folder, 'never')
  await expect(backup({ connection: database.address, dataFolder: other, to, now })).rejects.toThrow(digest)
  expect(existsSync(to)).toBe(false)
})

test('a program older than the backup does not restore it', async () => {
  const refused = restore({ from: saved, dataFolder: join(folder, 'old'), migrations: [], now })
  await expect(refused).rejects.toMatchObject({ code: 'program-too-old' })
})

test('the command saves a running data folder, and one that is not running', async () => {
  const program = fileURLToPath(new URL('../../backup.ts', import.meta.url))
  const data = join(folder, 'by-command')
  const command = async (to: string): Promise<unknown> => {
    const args = [program, 'backup', '--data', data, '--to', to]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    return JSON.parse(stdout)
  }
  const expected = { done: 'backup', tables: manifest.tables.length, rows: 2, files: 0 }
  {
    await using postgres = await startEmbeddedPostgres({ dataFolder: data })
    await migrate(postgres.address, { files: migrations, programVersion: '1' })
    expect(await command(join(folder, 'running'))).toMatchObject(expected)
  }
  expect(await command(join(folder, 'stopped'))).toMatchObject(expected)
})
