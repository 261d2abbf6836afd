import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { createEmptyDatabase, createTestDatabase } from '@bascule/testkit/test-database.ts'
import { Client } from 'pg'
import type { ClientConfig } from 'pg'
import { afterEach, expect, test } from 'vitest'

import { readMigrations } from './migration-files.ts'
import { migrate } from './migrate.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function migrations(texts: Readonly<Record<string, string>>): ReturnType<typeof readMigrations> {
  const folder = mkdtempSync(join(tmpdir(), 'bascule-migrations-'))
  folders.push(folder)
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, name), text)
  return readMigrations(folder)
}

const first = { '0001_thing.sql': 'create table thing (id int primary key);\ninsert into thing values (1);' }
const second = { '0002_name.sql': '-- needs server >= 0.9\nalter table thing add column name text;' }

async function ask(connection: ClientConfig, sql: string): Promise<readonly unknown[]> {
  const client = new Client(connection)
  await client.connect()
  try {
    const { rows } = await client.query<Record<string, unknown>>(sql)
    return rows
  } finally {
    await client.end()
  }
}

test('migrations are applied once and in order, and the journal says which', async () => {
  await using database = await createEmptyDatabase()
  const files = migrations({ ...second, ...first })
  const names = ['0001_thing.sql', '0002_name.sql']
  expect(await migrate(database.address, { files, programVersion: '1.0' })).toEqual({ applied: names, ahead: [] })
  expect(await migrate(database.address, { files, programVersion: '1.0' })).toEqual({ applied: [], ahead: [] })
  expect(await ask(database.address, 'select name, needs_server from migration order by name')).toEqual([
    { name: names[0], needs_server: '1.0' },
    { name: names[1], needs_server: '0.9' },
  ])
})

test('of three programs that migrate at once one does the work and two find nothing to do', async () => {
  await using database = await createEmptyDatabase()
  const files = migrations({ ...first, ...second })
  const outcomes = await Promise.all([1, 2, 3].map(() => migrate(database.address, { files, programVersion: '1.0' })))
  expect(outcomes.map((each) => each.applied.length).toSorted((a, b) => a - b)).toEqual([0, 0, 2])
  expect(await ask(database.address, 'select * from thing')).toEqual([{ id: 1, name: null }])
})

test('a migration that fails leaves nothing of itself or of its predecessors, and the error names file and line', async () => {
  await using database = await createEmptyDatabase()
  const files = migrations({ ...first, '0002_wrong.sql': 'select 1;\nalter table nowhere add column name text;' })
  await expect(migrate(database.address, { files, programVersion: '1.0' })).rejects.toThrow(
    /0002_wrong\.sql.*"nowhere" does not exist/,
  )
  expect(await ask(database.address, "select to_regclass('thing') as thing")).toEqual([{ thing: null }])
})

test('a migration that would end the transaction is refused', async () => {
  await using database = await createEmptyDatabase()
  const files = migrations({ '0001_commit.sql': 'create table left_over (id int); commit;' })
  await expect(migrate(database.address, { files, programVersion: '1.0' })).rejects.toThrow(/must not say commit/)
})

test('a changed applied migration refuses the start', async () => {
  await using database = await createEmptyDatabase()
  await migrate(database.address, { files: migrations(first), programVersion: '1.0' })
  const changed = migrations({ '0001_thing.sql': 'create table thing (id bigint primary key);' })
  await expect(migrate(database.address, { files: changed, programVersion: '1.0' })).rejects.toMatchObject({
    code: 'migration-changed',
  })
})

test('the previous program still starts on the expanded schema, and one that is too old does not', async () => {
  await using database = await createEmptyDatabase()
  await migrate(database.address, { files: migrations({ ...first, ...second }), programVersion: '1.0' })
  const old = migrations(first)
  expect(await migrate(database.address, { files: old, programVersion: '0.9' })).toEqual({
    applied: [],
    ahead: ['0002_name.sql'],
  })
  await expect(migrate(database.address, { files: old, programVersion: '0.8' })).rejects.toMatchObject({
    code: 'program-too-old',
  })
})

test('a migration that does not say what it needs keeps every older program out', async () => {
  await using database = await createEmptyDatabase()
  const silent = migrations({ ...first, '0002_drop.sql': 'drop table thing' })
  await migrate(database.address, { files: silent, programVersion: '1.0' })
  await expect(migrate(database.address, { files: migrations(first), programVersion: '0.9' })).rejects.toMatchObject({
    code: 'program-too-old',
  })
})

test('every test database has the schema of the server and is its own', async () => {
  await using one = await createTestDatabase({ upTo: 1 })
  await using other = await createTestDatabase({ upTo: 1 })
  await ask(one.address, 'create table mine (id int)')
  expect(await ask(other.address, "select to_regclass('mine') as mine")).toEqual([{ mine: null }])
  expect(await ask(other.address, 'select name from migration')).toEqual([{ name: '0001_platform.sql' }])
})
