import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { createTestDatabase } from '@bascule/testkit/test-database.ts'
import { Client } from 'pg'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { holdDatabase } from './hold-database.ts'

const log = pino({ level: 'silent' })

async function aDatabase() {
  const database = await createTestDatabase({ upTo: 1 })
  onTestFinished(() => database[Symbol.asyncDispose]())
  const client = new Client(database.address)
  await client.connect()
  onTestFinished(() => client.end())
  return { connection: database.address, url: database.connectionString, client }
}

async function cutOff(client: Client): Promise<void> {
  await client.query(`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name = 'bascule-server'`)
}

async function isHeld(client: Client): Promise<boolean> {
  const { rows } = await client.query(`select 1 from pg_locks where locktype = 'advisory' and granted
    and database = (select oid from pg_database where datname = current_database())`)
  return rows.length > 0
}

test('a second server on one database refuses with a sentence, and the next one after the first has ended starts', async () => {
  const { connection } = await aDatabase()
  const first = await holdDatabase({ connection, log })
  await expect(holdDatabase({ connection, log, patienceMs: 0 })).rejects.toMatchObject({
    code: 'database-in-use',
    message: expect.stringContaining('there may be only one') as string,
  })
  const waiting = holdDatabase({ connection, log, patienceMs: 60_000 })
  await first[Symbol.asyncDispose]()
  await (await waiting)[Symbol.asyncDispose]()
})

test('a server that is cut off takes its database again', async () => {
  const { connection, client } = await aDatabase()
  await using _held = await holdDatabase({ connection, log })
  await cutOff(client)
  await expect.poll(() => isHeld(client)).toBe(true)
})

test('a server that is cut off and finds another one in its place is told so', async () => {
  const { connection, client } = await aDatabase()
  await using first = await holdDatabase({ connection, log })
  // Takes the lock in the moment in which nobody has it.
  const taking = client.query("select pg_advisory_lock(hashtextextended('bascule server', 0))")
  const other = new Client(connection)
  await other.connect()
  await expect
    .poll(
      async () => (await other.query(`select 1 from pg_locks where locktype = 'advisory' and not granted`)).rowCount,
    )
    .toBeGreaterThan(0)
  await cutOff(other)
  await taking
  expect(await first.lost).toBe('the database is held by another server, or still by the session that was cut off')
  await other.end()
})

test('the program of the server says so and ends', async () => {
  const { connection, url } = await aDatabase()
  await using _held = await holdDatabase({ connection, log })
  const dataFolder = mkdtempSync(join(tmpdir(), 'second-'))
  onTestFinished(() => {
    rmSync(dataFolder, { recursive: true, force: true })
  })
  const main = fileURLToPath(new URL('../main.ts', import.meta.url))
  const env = { PATH: process.env['PATH'], BASCULE_DATABASE_URL: url, BASCULE_LOG_LEVEL: 'error' }
  const child = spawn(process.execPath, [main, '--data', dataFolder, '--port', '0'], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')])
  expect([code, said]).toEqual([1, expect.stringMatching(/^Another Bascule server works on this database/)])
})
