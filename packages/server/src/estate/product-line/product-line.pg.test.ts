import { createTestDatabase } from '@bascule/testkit/test-database.ts'
import { expect, test } from 'vitest'
import { connect } from '#/platform/db/connect.ts'
import type { Actor } from '#/platform/lib/actor.ts'
import type { ProductLineInput } from '@bascule/contract/estate/product-line.ts'
import {
  changeProductLine,
  createProductLine,
  findProductLine,
  listProductLines,
  nextCounter,
  retireProductLine,
} from './product-line.service.ts'

const now = Temporal.Instant.from('2026-11-23T08:00:00Z')
const manager: Actor = { kind: 'person', id: 'p1', name: 'Mira', grants: [{ role: 'configuration-manager' }] }
const tester: Actor = { ...manager, grants: [{ role: 'tester' }] }

async function setUp() {
  const stack = new AsyncDisposableStack()
  const database = stack.use(await createTestDatabase({ upTo: 5 }))
  const { db } = stack.use(await connect({ connection: database.address }))
  const call = { db, actor: manager, now }
  const create = async (input: ProductLineInput) => valueOf(await createProductLine(call, input))
  return { db, call, create, [Symbol.asyncDispose]: async () => await stack.disposeAsync() }
}

function valueOf<T>(answer: { ok: true; value: T } | { ok: false; error: unknown }): T {
  if (!answer.ok) throw new Error(JSON.stringify(answer.error))
  return answer.value
}

test('a counter grows by one and is never given twice, whoever asks at the same time', async () => {
  await using scope = await setUp()
  await scope.create({ code: 'salesdesk', name: 'Salesdesk' })
  const take = async () => await scope.db.transaction().execute(async (tx) => await nextCounter(tx, 'salesdesk'))
  const counters = await Promise.all(Array.from({ length: 20 }, take))
  expect(counters.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, at) => at + 1))
})

test('a counter of a line that is not there is an error that names it', async () => {
  await using scope = await setUp()
  await expect(nextCounter(scope.db, 'nothing')).rejects.toThrow('nothing')
})

test('only lines in force are found, and the code of a retired line is never given again', async () => {
  await using scope = await setUp()
  const line = await scope.create({ code: 'till', name: 'Till' })
  expect(await findProductLine(scope.db, 'till')).toMatchObject({ code: 'till', name: 'Till', counter: 0 })
  valueOf(await retireProductLine(scope.call, line.id))
  expect(await findProductLine(scope.db, 'till')).toBeUndefined()
  expect(await createProductLine(scope.call, { code: 'till', name: 'Till again' })).toMatchObject({
    ok: false,
    error: { kind: 'refused', refusal: { rule: 'already-there' } },
  })
})

test('a change counts the version, leaves the rest alone and is refused on what somebody changed meanwhile', async () => {
  await using scope = await setUp()
  const line = await scope.create({ code: 'till', name: 'Till', boardName: 'Retail board' })
  const change = { productLineId: line.id, version: 1, name: 'Tills' }
  expect(valueOf(await changeProductLine(scope.call, change))).toMatchObject({
    name: 'Tills',
    boardName: 'Retail board',
    version: 2,
  })
  expect(await changeProductLine(scope.call, change)).toMatchObject({
    ok: false,
    error: { refusal: { rule: 'changed-meanwhile' } },
  })
})

test('who may not write lines changes nothing, and every change that was made is in the ledger', async () => {
  await using scope = await setUp()
  const input = { code: 'till', name: 'Till' }
  expect(await createProductLine({ ...scope.call, actor: tester }, input)).toMatchObject({
    ok: false,
    error: { kind: 'forbidden' },
  })
  await scope.create(input)
  const facts = await scope.db.selectFrom('ledger').select(['did', 'actor_name']).execute()
  expect(facts).toEqual([{ did: 'product-line.created', actor_name: 'Mira' }])
})

test('the list is paged by name', async () => {
  await using scope = await setUp()
  for (const code of ['c', 'a', 'b']) await scope.create({ code, name: `Line ${code}` })
  const first = await listProductLines(scope.db, { limit: 2, state: 'active' })
  expect(first.items.map(({ code }) => code)).toEqual(['a', 'b'])
  const rest = await listProductLines(scope.db, { limit: 2, state: 'active', after: first.next })
  expect(rest.items.map(({ code }) => code)).toEqual(['c'])
  expect(rest.next).toBeUndefined()
})
