import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer } from '#/platform/test/test-server.ts'
import type { Caller, TestServer } from '#/platform/test/test-server.ts'

let server: TestServer
let admin: Caller

beforeAll(async () => {
  server = await startTestServer({ upTo: 2, features: [] })
  admin = await server.signIn('Ada', { role: 'administrator' })
  await admin.ask(
    'POST',
    '/estate/sites/import',
    'code,name,time_zone\nleeds,Leeds,Europe/London\nyork,York,Europe/London\n',
  )
  await admin.ask(
    'POST',
    '/estate/org-units/import',
    'code,name,parent\ninside,Inside sales,sales\nsales,Sales,\nit,IT,\n',
  )
})

afterAll(async () => {
  await server[Symbol.asyncDispose]()
})

async function idOf(list: string, code: string): Promise<string> {
  const { items } = (await admin.ask('GET', `/estate/${list}?search=${code}`)).json<{
    items: { id: string; code: string }[]
  }>()
  return items.find((item) => item.code === code)?.id ?? 'none'
}

async function addPerson(name: string, more: object = {}) {
  const email = `${name.toLowerCase().replaceAll(' ', '.')}@example.org`
  return (await admin.ask('POST', '/estate/people', { name, email, ...more })).json<{ id: string; version: number }>()
}

async function factsOf(subjectId: string) {
  const { items } = (await admin.ask('GET', `/platform/ledger?subjectId=${subjectId}`)).json<{
    items: { did: string }[]
  }>()
  return items.map(({ did }) => did).toReversed()
}

test('a person is added, changed and retired, and each step is a fact', async () => {
  const { id } = await addPerson('Bea Baker', { siteId: await idOf('sites', 'leeds'), jobRole: 'Cashier' })
  const changed = await admin.ask('PATCH', `/estate/people/${id}`, { version: 1, siteId: null, language: 'de-CH' })
  expect(changed.json()).toMatchObject({
    siteId: null,
    jobRole: 'cashier',
    language: 'de-CH',
    version: 2,
    state: 'active',
  })
  expect((await admin.ask('POST', `/estate/people/${id}/retire`, {})).json()).toMatchObject({
    state: 'retired',
    version: 3,
  })
  expect(await factsOf(id)).toEqual(['person.created', 'person.changed', 'person.retired'])
  const late = await admin.ask('PATCH', `/estate/people/${id}`, { name: 'X' })
  expect(late.json()).toMatchObject({ code: 'REFUSED', data: { rule: 'retired' } })
})

test('who changes an old picture of a person is told and nothing is overwritten', async () => {
  const { id } = await addPerson('Cleo')
  await admin.ask('PATCH', `/estate/people/${id}`, { version: 1, name: 'Cleo B' })
  const stale = await admin.ask('PATCH', `/estate/people/${id}`, { version: 1, name: 'Cleo C' })
  expect(stale.json()).toMatchObject({ status: 409, data: { rule: 'changed-meanwhile' } })
  expect((await admin.ask('GET', `/estate/people/${id}`)).json()).toMatchObject({ name: 'Cleo B' })
})

test('two people never share an e-mail address, in whatever case, until one is retired', async () => {
  const { id } = await addPerson('Dora')
  const twin = { name: 'Dora', email: 'DORA@example.org' }
  expect((await admin.ask('POST', '/estate/people', twin)).json()).toMatchObject({ data: { rule: 'already-there' } })
  await admin.ask('POST', `/estate/people/${id}/retire`, {})
  expect((await admin.ask('POST', '/estate/people', twin)).statusCode).toBe(201)
})

test('what does not exist cannot be referred to', async () => {
  const nowhere = '00000000-0000-7000-8000-000000000000'
  const reply = await admin.ask('POST', '/estate/people', { name: 'F', email: 'f@example.org', siteId: nowhere })
  expect(reply.json()).toMatchObject({ status: 400, data: { field: 'siteId', problem: 'is no site in force' } })
  expect((await admin.ask('GET', `/estate/people/${nowhere}`)).json()).toMatchObject({
    status: 404,
    data: { what: 'person' },
  })
})

test('a long list comes page by page without a gap or a double, while others are added', async () => {
  for (const name of ['Zed 1', 'zed 2', 'Zed 3', 'zed 4', 'Zed 5']) await addPerson(name)
  const names: string[] = []
  let after = ''
  do {
    const page = (await admin.ask('GET', `/estate/people?search=zed&limit=2&after=${after}`)).json<{
      items: { name: string }[]
      next?: string
    }>()
    names.push(...page.items.map(({ name }) => name))
    after = page.next ?? ''
    if (names.length === 2) await addPerson('Zed 0')
  } while (after !== '')
  expect(names).toEqual(['Zed 1', 'zed 2', 'Zed 3', 'zed 4', 'Zed 5'])
})

test('whoever has a role for one org unit sees and changes its people and those below, and no others', async () => {
  const [sales, inside, it] = [
    await idOf('org-units', 'sales'),
    await idOf('org-units', 'inside'),
    await idOf('org-units', 'it'),
  ]
  const [gus, ian] = [await addPerson('Gus', { orgUnitId: inside }), await addPerson('Ian', { orgUnitId: it })]
  const keeper = await server.signIn('Kim', { role: 'configuration-manager', orgUnit: sales })

  const seen = (await keeper.ask('GET', '/estate/people')).json<{ items: { name: string }[] }>()
  expect(seen.items.map(({ name }) => name)).toEqual(['Gus'])
  expect((await keeper.ask('PATCH', `/estate/people/${gus.id}`, { jobRole: 'clerk' })).statusCode).toBe(200)
  const forbidden = { status: 403, data: { permission: 'person.write' } }
  expect((await keeper.ask('PATCH', `/estate/people/${ian.id}`, { jobRole: 'clerk' })).json()).toMatchObject(forbidden)
  expect((await keeper.ask('PATCH', `/estate/people/${gus.id}`, { orgUnitId: it })).json()).toMatchObject(forbidden)
  expect((await keeper.ask('GET', `/estate/people/${ian.id}`)).statusCode).toBe(403)
  const file = 'email,name,org_unit\nian@example.org,Ian,sales\nnew@example.org,New,it\n'
  const imported = (await keeper.ask('POST', '/estate/people/import', file)).json<{
    data: { problems: { line: number }[] }
  }>()
  expect(imported.data.problems.map(({ line }) => line)).toEqual([2, 3])
})

test('a file adds, changes and leaves people, and a second time it changes nothing', async () => {
  const file =
    '\uFEFFemail;name;org_unit;site;job_role\r\nLea@example.org;Lea;inside;leeds;Cashier\r\nmax@example.org;"Max; Junior";;york;\r\n'
  expect((await admin.ask('POST', '/estate/people/import', file)).json()).toEqual({
    created: 2,
    updated: 0,
    unchanged: 0,
  })
  expect((await admin.ask('POST', '/estate/people/import', file)).json()).toEqual({
    created: 0,
    updated: 0,
    unchanged: 2,
  })
  const other = file.replace('Cashier', 'Manager')
  expect((await admin.ask('POST', '/estate/people/import', other)).json()).toEqual({
    created: 0,
    updated: 1,
    unchanged: 1,
  })
  const lea = (await admin.ask('GET', '/estate/people?search=lea@')).json<{ items: { id: string }[] }>()
  expect(lea.items).toMatchObject([{ name: 'Lea', jobRole: 'manager', siteId: await idOf('sites', 'leeds') }])
  expect(await factsOf(lea.items[0]?.id ?? '')).toEqual(['person.created', 'person.changed'])
})

test('of a file with a bad row nothing is stored, and each bad row is named with line, column and problem', async () => {
  const before = await countPeople()
  const file =
    'email,name,site,time_zone\ngood@example.org,Good,leeds,\nnot-an-address,Bad,leeds,Mars/1\nother@example.org,,leeds,\n'
  const reply = (await admin.ask('POST', '/estate/people/import', file)).json()
  expect(reply).toMatchObject({ code: 'BAD_INPUT', status: 400 })
  const where = (reply.data.problems as { line: number; field: string }[]).map(({ line, field }) => [line, field])
  expect(where).toEqual([
    [3, 'email'],
    [3, 'time_zone'],
    [4, 'name'],
  ])
  const unknown = 'email,name,site\na@example.org,A,nowhere\na@example.org,A,leeds\n'
  expect((await admin.ask('POST', '/estate/people/import', unknown)).json().data.problems).toEqual([
    { line: 3, field: 'email', problem: 'stands already in line 2' },
  ])
  expect(
    (await admin.ask('POST', '/estate/people/import', unknown.split('\n').slice(0, 2).join('\n'))).json().data,
  ).toMatchObject({
    line: 2,
    field: 'site',
    problem: 'nowhere is no site in force',
  })
  expect((await admin.ask('POST', '/estate/people/import', 'mail,name\nx,y\n')).json().data).toMatchObject({
    line: 1,
    field: 'mail',
  })
  expect((await admin.ask('POST', '/estate/people/import', 'email,name\n"open,x\n')).json().data).toMatchObject({
    field: 'file',
  })
  expect(await countPeople()).toBe(before)
})

async function countPeople(): Promise<number> {
  const { rows } = await sql<{ n: number }>`select count(*) as n from person`.execute(server.db)
  return rows[0]?.n ?? -1
}

test('the list of people uses its index however many there are', async () => {
  await sql`insert into person (id, name, email, created_at)
    select gen_random_uuid(), 'Person ' || n, 'p' || n || '@many.example', now() from generate_series(1, 20000) n`.execute(
    server.db,
  )
  await sql`analyze person`.execute(server.db)
  const plan = await sql<{ 'QUERY PLAN': string }>`explain select * from person where retired_at is null
    and (lower(name), id) > ('person 5', '00000000-0000-0000-0000-000000000000'::uuid)
    order by lower(name), id limit 51`.execute(server.db)
  expect(plan.rows.map((row) => row['QUERY PLAN']).join('\n')).toContain('person_listed')
})
