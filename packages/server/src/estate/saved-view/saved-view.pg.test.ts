import type { SavedViewView } from '@bascule/contract/estate/saved-view.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Caller, startTestServer, type TestServer } from '#/platform/test/test-server.ts'

let server: TestServer
let ann: Caller

beforeAll(async () => {
  server = await startTestServer()
  ann = await server.signIn('Ann', { role: 'release-manager' })
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
})

const tills = { name: 'Quiet tills', query: 'role:till state:silent', order: '-seen', columns: ['name', 'seen'] }

async function viewsOf(who: Caller): Promise<SavedViewView[]> {
  return (await who.ask('GET', '/fleet/views')).json()
}

test('a view is saved, renamed, given another content and deleted, and the ledger tells each', async () => {
  const saved = (await ann.ask('POST', '/fleet/views', tills)).json<SavedViewView>()
  expect(saved).toMatchObject({ ...tills, work: null, releaseId: null, version: 1 })
  const path = `/fleet/views/${saved.id}`
  const renamed = await ann.ask('PATCH', path, { name: 'Tills', version: 1 })
  expect(renamed.json()).toMatchObject({ ...tills, name: 'Tills', version: 2 })
  const shows = { query: 'role:till', order: 'name', work: 'failed', releaseId: 'REL-0001', columns: [] }
  expect((await ann.ask('PATCH', path, { shows })).json()).toMatchObject({ ...shows, name: 'Tills' })
  expect(await viewsOf(ann)).toMatchObject([{ ...shows, name: 'Tills', version: 3 }])
  expect((await ann.ask('DELETE', path)).statusCode).toBe(200)
  expect(await viewsOf(ann)).toEqual([])
  expect((await ann.ask('DELETE', path)).statusCode).toBe(404)

  const facts = await server.db
    .selectFrom('ledger')
    .select(['did', 'before', 'after'])
    .where('subject_id', '=', saved.id)
    .orderBy('id')
    .execute()
  expect(facts.map((fact) => fact.did)).toEqual([
    'saved-view.created',
    'saved-view.changed',
    'saved-view.changed',
    'saved-view.deleted',
  ])
  expect(facts.at(-1)).toMatchObject({ before: { name: 'Tills' }, after: null })
})

test('a view is its person’s alone: others neither see nor change it, and may use the same name', async () => {
  const saved = (await ann.ask('POST', '/fleet/views', { ...tills, name: 'Mine' })).json<SavedViewView>()
  const gil = await server.signIn('Gil', { role: 'administrator' }, { role: 'release-manager' })
  expect(await viewsOf(gil)).toEqual([])
  expect((await gil.ask('PATCH', `/fleet/views/${saved.id}`, { name: 'His' })).statusCode).toBe(404)
  expect((await gil.ask('DELETE', `/fleet/views/${saved.id}`)).statusCode).toBe(404)
  expect((await gil.ask('POST', '/fleet/views', { ...tills, name: 'Mine' })).statusCode).toBe(201)
  expect(await viewsOf(ann)).toMatchObject([{ name: 'Mine' }])
})

test('two views never share a name, whoever saves first, and nothing is stored of the second', async () => {
  const bea = await server.signIn('Bea', { role: 'operations' })
  const replies = await Promise.all(
    ['North', 'north'].map(async (name) => await bea.ask('POST', '/fleet/views', { ...tills, name })),
  )
  expect(replies.filter((reply) => reply.statusCode === 201)).toHaveLength(1)
  const south = (await bea.ask('POST', '/fleet/views', { ...tills, name: 'South' })).json<SavedViewView>()
  const taken = await bea.ask('PATCH', `/fleet/views/${south.id}`, { name: 'NORTH' })
  expect(taken.json()).toMatchObject({ data: { rule: 'already-there' } })
  expect(await viewsOf(bea)).toHaveLength(2)
})

test('a change on what was seen before another change is refused', async () => {
  const cid = await server.signIn('Cid', { role: 'operations' })
  const { id } = (await cid.ask('POST', '/fleet/views', tills)).json<SavedViewView>()
  await cid.ask('PATCH', `/fleet/views/${id}`, { name: 'Second' })
  const late = await cid.ask('PATCH', `/fleet/views/${id}`, { name: 'Third', version: 1 })
  expect(late.json()).toMatchObject({ data: { rule: 'changed-meanwhile' } })
  expect(await viewsOf(cid)).toMatchObject([{ name: 'Second' }])
})

test('a view whose query is none, and one too many, are refused with the reason', async () => {
  const dot = await server.signIn('Dot', { role: 'operations' })
  const bad = await dot.ask('POST', '/fleet/views', { ...tills, query: 'why not' })
  expect(bad.json()).toMatchObject({ code: 'BAD_INPUT', data: { field: 'query' } })
  for (let at = 0; at < 30; at++) await dot.ask('POST', '/fleet/views', { ...tills, name: `View ${at}` })
  const more = await dot.ask('POST', '/fleet/views', { ...tills, name: 'One more' })
  expect(more.json()).toMatchObject({ data: { rule: 'saved-views-max' } })
  expect(await viewsOf(dot)).toHaveLength(30)
})

test('a machine keeps no views', async () => {
  const ada = await server.signIn('Ada', { role: 'administrator' })
  const { key } = (await ada.ask('POST', '/platform/api-keys', { name: 'ops', role: 'operations' })).json<{
    key: string
  }>()
  const headers = { authorization: `Bearer ${key}` }
  const url = '/api/fleet/views'
  expect((await server.app.inject({ url, headers })).json()).toEqual([])
  const made = await server.app.inject({ method: 'POST', url, headers, payload: tills })
  expect(made.json()).toMatchObject({ data: { rule: 'only-people-keep-views' } })
})
