import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { createEmptyDatabase } from '@bascule/testkit/test-database.ts'
import { pino } from 'pino'
import { expect, test } from 'vitest'

import { readServerMigrations } from './migrate.ts'
import { openDatabase } from './open-database.ts'

test('with a database address nothing is started, and the schema is there', async () => {
  await using database = await createEmptyDatabase()
  const dataFolder = mkdtempSync(join(tmpdir(), 'bascule-open-'))
  try {
    const databaseUrl = database.connectionString
    await using open = await openDatabase({ dataFolder, databaseUrl, log: pino({ level: 'silent' }) })
    const applied = await open.db.selectFrom('migration').select('name').orderBy('name').execute()
    expect(applied.map((row) => row.name)).toEqual(readServerMigrations().map((file) => file.name))
    expect(readdirSync(dataFolder)).toEqual([])
  } finally {
    rmSync(dataFolder, { recursive: true, force: true })
  }
})

test('without one, the server has a PostgreSQL of its own', async () => {
  const dataFolder = mkdtempSync(join(tmpdir(), 'bascule-open-'))
  try {
    await using open = await openDatabase({ dataFolder, databaseUrl: undefined, log: pino({ level: 'silent' }) })
    expect(await open.db.selectFrom('migration').selectAll().execute()).toHaveLength(readServerMigrations().length)
    expect(readdirSync(dataFolder)).toContain('pg18')
  } finally {
    rmSync(dataFolder, { recursive: true, force: true })
  }
})
