import { createTestDatabase } from '@bascule/testkit/test-database.ts'
import type { TestDatabase } from '@bascule/testkit/test-database.ts'
import { sql } from 'kysely'
import type { Generated } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { connect, refuseOldVersion } from './connect.ts'
import type { DatabaseHandle } from './connect.ts'
import type { Db } from './database.ts'
import { countStatements } from './statements.ts'
import { farFuture } from './type-parsers.ts'

/** As a feature does it. */
declare module '#/platform/db/database.ts' {
  interface Database {
    test_thing: {
      id: Generated<number>
      name: string
      big: number | null
      at: Temporal.Instant
      on_day: Temporal.PlainDate
    }
  }
}

let database: TestDatabase
let handle: DatabaseHandle

beforeAll(async () => {
  database = await createTestDatabase({ upTo: 1 })
  handle = await connect({ connection: database.address, poolSize: 2 })
  await sql`create table test_thing (id bigint generated always as identity primary key, name text not null, big bigint,
    at timestamptz not null, on_day date not null)`.execute(handle.db)
})

afterAll(async () => {
  await handle[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
})

const at = Temporal.Instant.from('2026-11-23T18:01:02.123456Z')
const thing = { name: 'a', big: 7, at, on_day: Temporal.PlainDate.from('2026-02-28') }

async function addThing(db: Db, name: string): Promise<number> {
  const { id } = await db
    .insertInto('test_thing')
    .values({ ...thing, name })
    .returning('id')
    .executeTakeFirstOrThrow()
  return id
}

test('instants, dates and big integers come back as they went in', async () => {
  const id = await addThing(handle.db, 'round trip')
  const row = await handle.db.selectFrom('test_thing').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
  expect(row).toEqual({ ...thing, id, name: 'round trip' })
  expect(row.at).toBeInstanceOf(Temporal.Instant)
  expect(typeof row.id).toBe('number')
})

test('arrays of instants and integers go in and come out', async () => {
  const { rows } = await sql<{ ats: unknown; ids: unknown }>`select ${[at, farFuture]}::timestamptz[] as ats,
    array[1, null, 3]::bigint[] as ids`.execute(handle.db)
  expect(rows).toEqual([{ ats: [at, farFuture], ids: [1, null, 3] }])
})

test('a timer that is never due is infinity in the database', async () => {
  const { rows } =
    await sql`select ${farFuture}::timestamptz = 'infinity' as same, 'infinity'::timestamptz as at`.execute(handle.db)
  expect(rows).toEqual([{ same: true, at: farFuture }])
})

test('an integer that a number cannot hold is an error and never a rounded value', async () => {
  await expect(sql`select 9007199254740993::bigint as n`.execute(handle.db)).rejects.toThrow(/9007199254740993/)
})

test('a store takes a pool or a transaction', async () => {
  await handle.db.transaction().execute(async (tx) => await addThing(tx, 'in a transaction'))
  const { n } = await handle.db
    .selectFrom('test_thing')
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .where('name', '=', 'in a transaction')
    .executeTakeFirstOrThrow()
  expect(n).toBe(1)
})

test('statements are counted over the pool, transactions and the hot connection', async () => {
  using statements = countStatements(handle)
  expect(statements.count).toBe(0)
  await handle.db.transaction().execute(async (tx) => await addThing(tx, 'counted'))
  expect(statements.texts).toHaveLength(3)
  await handle.hot.query({ name: 'one', text: 'select 1 as one', values: [] })
  expect(statements.texts[3]).toBe('select 1 as one')
})

test('many hot queries at once each get their own answer, and one that fails harms no other', async () => {
  const ask = (n: number): Promise<{ quotient: number }[]> =>
    handle.hot.query({ name: 'divide', text: 'select 100 / $1::int as quotient', values: [n] })
  const answers = await Promise.allSettled([1, 0, 4, 5].map(ask))
  expect(answers.map((each) => (each.status === 'fulfilled' ? each.value[0]?.quotient : 'failed'))).toEqual([
    100,
    'failed',
    25,
    20,
  ])
})

test('a restart of the database costs connections and not the process', async () => {
  const lost: Error[] = []
  await using other = await connect({ connection: database.address, onLost: (error) => void lost.push(error) })
  await other.hot.query({ name: 'one', text: 'select 1 as one', values: [] })
  await sql`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()`.execute(handle.db)
  const again = async (): Promise<unknown> =>
    await other.hot.query({ name: 'one', text: 'select 1 as one', values: [] })
  await expect.poll(() => again().catch(() => 'lost')).toEqual([{ one: 1 }])
  expect((await sql`select 1 as one`.execute(other.db)).rows).toEqual([{ one: 1 }])
  expect(lost).toHaveLength(1)
})

test('a PostgreSQL older than 15 is refused with a sentence, and 15 is not', () => {
  expect(() => refuseOldVersion({ number: 140_011, version: '14.11' })).toThrow(/PostgreSQL 14\.11.* 15 or newer/)
  expect(() => refuseOldVersion({ number: 150_000, version: '15.0' })).not.toThrow()
})
