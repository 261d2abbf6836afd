import { writeSync } from 'node:fs'

import { Client } from 'pg'

import { startEmbeddedPostgres } from './embedded-postgres.ts'
import { isStartRefusal } from './refusal.ts'

/** A program like the server, for the crash tests: holds PostgreSQL until a signal, and says what happens line by line. */
const say = (fact: object): number => writeSync(1, `${JSON.stringify(fact)}\n`)

const interrupted = new Promise((resolve) => {
  process.once('SIGINT', resolve)
})

try {
  await using pg = await startEmbeddedPostgres({ dataFolder: process.argv[2] ?? '' })
  const client = new Client(pg.address)
  await client.connect()
  say({ pid: pg.pid, socketFolder: pg.socketFolder })
  // A signal handler alone does not keep the process alive, and the connection does.
  await interrupted
  const { rows } = await client.query<{ answer: number }>('select 42 as answer')
  say({ answeredAfterSignal: rows[0]?.answer })
  await client.end()
} catch (error) {
  if (!isStartRefusal(error)) throw error
  say({ refused: error.code, sentence: error.message })
  process.exitCode = 1
}
