import { createTestDatabase } from '@bascule/testkit/test-database.ts'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { connect } from './connect.ts'
import { readWithin } from './read-within.ts'

test('a question that takes too long is refused, and the connection it had asks others as before', async () => {
  await using database = await createTestDatabase({ upTo: 1 })
  await using handle = await connect({ connection: database.address, poolSize: 1 })
  const slow = await readWithin(handle.db, async (tx) => await sql`select pg_sleep(60)`.execute(tx), 50)
  expect(slow).toMatchObject({ ok: false, error: { refusal: { rule: 'question-takes-too-long' } } })
  const quick = await readWithin(handle.db, async (tx) => (await sql`select 1 as one`.execute(tx)).rows)
  expect(quick).toEqual({ ok: true, value: [{ one: 1 }] })
  const { rows } = await sql`select current_setting('statement_timeout') as limited`.execute(handle.db)
  expect(rows).toEqual([{ limited: '0' }])
})
