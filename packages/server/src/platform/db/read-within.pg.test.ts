import { ok } from '@bascule/domain/lib/result.ts'
import { createTestDatabase } from '@bascule/testkit/test-database.ts'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { connect } from './connect.ts'
import { readWithin, writeWithin } from './read-within.ts'

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

test('only the question in the midst of a transaction is limited, and one that takes too long leaves nothing written', async () => {
  await using database = await createTestDatabase({ upTo: 1 })
  await using handle = await connect({ connection: database.address, poolSize: 1 })
  await sql`create table note (word text)`.execute(handle.db)
  const write = async (seconds: number, word: string) =>
    await writeWithin(
      handle.db,
      async (tx, ask) => {
        await sql`insert into note values (${word})`.execute(tx)
        await ask(async () => await sql`select pg_sleep(${seconds})`.execute(tx))
        // Longer than the limit: what follows the question is not limited.
        await sql`select pg_sleep(0.2)`.execute(tx)
        return ok(word)
      },
      100,
    )
  expect(await write(60, 'slow')).toMatchObject({ error: { refusal: { rule: 'question-takes-too-long' } } })
  expect(await write(0, 'quick')).toEqual({ ok: true, value: 'quick' })
  expect((await sql`select word from note`.execute(handle.db)).rows).toEqual([{ word: 'quick' }])
})
