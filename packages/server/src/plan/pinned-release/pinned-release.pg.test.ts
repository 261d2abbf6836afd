import type { ReleaseRow } from '@bascule/contract/plan/release.ts'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Caller, startTestServer, type TestServer } from '#/platform/test/test-server.ts'

let server: TestServer
let ann: Caller
let releases: string[]

beforeAll(async () => {
  server = await startTestServer()
  ann = await server.signIn('Ann', { role: 'release-manager' })
  await sql`insert into product_line (id, code, name, created_at)
    values ('00000000-0000-7000-8000-000000000001', 'tools', 'Tools', now())`.execute(server.db)
  const plan = {
    title: 'Hello',
    version: '1.0.0',
    productLine: 'tools',
    packages: [{ name: 'hello', version: '1.0.0' }],
    audience: { query: '', mode: 'frozen' },
    phases: [{ name: 'Everybody' }],
  }
  const { rows } = await sql<{ id: string }>`
    insert into release (title, version, product_line, state, state_since, plan, owner_id, owner_name, created_at, updated_at)
    select 'Hello ' || n, '1.0.' || n, 'tools', 'draft', now(), ${JSON.stringify(plan)}::jsonb, 'x', 'Ann', now(), now()
    from generate_series(1, 13) n returning id`.execute(server.db)
  releases = rows.map((row) => row.id)
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
})

async function pinnedOf(who: Caller): Promise<string[]> {
  return (await who.ask('GET', '/pinned-releases')).json<ReleaseRow[]>().map((row) => row.id)
}

test('pinned releases stand in the order of pinning, for their person alone', async () => {
  const [first = '', second = ''] = releases
  await ann.ask('POST', `/releases/${second}/pin`, {})
  await ann.ask('POST', `/releases/${first}/pin`, {})
  expect((await ann.ask('POST', `/releases/${first}/pin`, {})).statusCode).toBe(200)
  expect(await pinnedOf(ann)).toEqual([second, first])
  expect((await ann.ask('GET', '/pinned-releases')).json()[0]).toMatchObject({ title: 'Hello 2', rollout: null })
  expect(await pinnedOf(await server.signIn('Bob', { role: 'release-manager' }))).toEqual([])
  await ann.ask('DELETE', `/releases/${second}/pin`)
  expect((await ann.ask('DELETE', `/releases/${second}/pin`)).statusCode).toBe(200)
  expect(await pinnedOf(ann)).toEqual([first])
})

test('each pin is one fact of its person, and none in the story of the release', async () => {
  const facts = await server.db
    .selectFrom('ledger')
    .select(['did', 'subject_kind', 'release_id'])
    .where('actor_id', '=', ann.personId)
    .where('did', 'in', ['release.pinned', 'release.unpinned'])
    .orderBy('id')
    .execute()
  expect(facts.map((fact) => fact.did)).toEqual(['release.pinned', 'release.pinned', 'release.unpinned'])
  expect(new Set(facts.map((fact) => `${fact.subject_kind} ${fact.release_id}`))).toEqual(
    new Set(['pinned-release null']),
  )
})

test('a release that is not there and one too many are refused', async () => {
  const cid = await server.signIn('Cid', { role: 'service-desk' })
  expect((await cid.ask('POST', '/releases/REL-9999/pin', {})).statusCode).toBe(404)
  const replies = await Promise.all(releases.map(async (id) => await cid.ask('POST', `/releases/${id}/pin`, {})))
  expect(replies.filter((reply) => reply.statusCode === 200)).toHaveLength(12)
  expect(replies.find((reply) => reply.statusCode !== 200)?.json()).toMatchObject({
    data: { rule: 'pinned-releases-max' },
  })
  expect(await pinnedOf(cid)).toHaveLength(12)
})
