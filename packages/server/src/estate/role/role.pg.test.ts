import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer } from '#/platform/test/test-server.ts'
import type { Caller, TestServer } from '#/platform/test/test-server.ts'

let server: TestServer
let admin: Caller
let sales: string
let it: string

beforeAll(async () => {
  server = await startTestServer({ upTo: 2, features: [] })
  admin = await server.signIn('Ada', { role: 'administrator' })
  await admin.ask('POST', '/estate/org-units/import', 'code,name,parent\nsales,Sales,\nit,IT,\n')
  const units = (await admin.ask('GET', '/estate/org-units')).json().items as { id: string; code: string }[]
  sales = units.find(({ code }) => code === 'sales')?.id ?? ''
  it = units.find(({ code }) => code === 'it')?.id ?? ''
})

afterAll(async () => {
  await server[Symbol.asyncDispose]()
})

test('a role takes effect with the next request and ends with it', async () => {
  const ann = await server.signIn('Ann')
  expect((await ann.ask('GET', '/estate/people')).statusCode).toBe(403)
  const grant = (await admin.ask('POST', '/estate/role-grants', { personId: ann.personId, role: 'tester' })).json()
  expect(grant).toMatchObject({ personName: 'Ann', grantedBy: 'Ada', orgUnitId: null })
  expect((await ann.ask('GET', '/estate/people')).statusCode).toBe(200)
  expect((await admin.ask('DELETE', `/estate/role-grants/${grant.id}`)).statusCode).toBe(200)
  expect((await ann.ask('GET', '/estate/people')).statusCode).toBe(403)
  expect((await admin.ask('DELETE', `/estate/role-grants/${grant.id}`)).statusCode).toBe(404)
})

test('the same role twice is refused, the same role elsewhere is another', async () => {
  const { personId } = await server.signIn('Bob')
  const give = (more: object) => admin.ask('POST', '/estate/role-grants', { personId, role: 'operations', ...more })
  expect((await give({ orgUnitId: sales })).statusCode).toBe(201)
  expect((await give({ orgUnitId: sales })).json()).toMatchObject({ data: { rule: 'already-there' } })
  expect((await give({ orgUnitId: it })).statusCode).toBe(201)
})

test('an administrator of one org unit hands out roles there and never beyond', async () => {
  const local = await server.signIn('Lou', { role: 'administrator', orgUnit: sales })
  const { personId } = await server.signIn('Cara')
  const give = (more: object) => local.ask('POST', '/estate/role-grants', { personId, role: 'tester', ...more })
  expect((await give({ orgUnitId: sales })).statusCode).toBe(201)
  const forbidden = { status: 403, data: { permission: 'role.grant' } }
  expect((await give({ orgUnitId: it })).json()).toMatchObject(forbidden)
  expect((await give({})).json()).toMatchObject(forbidden)
  // A way in for somebody with more rights would be those rights.
  expect((await local.ask('POST', '/platform/sign-in-links', { personId: admin.personId })).json()).toMatchObject(
    forbidden,
  )
})

test('an administrator of one org unit makes sign-in links for people there and for nobody else', async () => {
  const local = await server.signIn('Lee', { role: 'administrator', orgUnit: sales })
  const { personId } = await server.signIn('Nia')
  const link = async () => (await local.ask('POST', '/platform/sign-in-links', { personId })).statusCode
  expect(await link()).toBe(403)
  await admin.ask('PATCH', `/estate/people/${personId}`, { orgUnitId: sales })
  expect(await link()).toBe(201)
  await admin.ask('POST', '/estate/role-grants', { personId, role: 'release-manager' })
  expect(await link()).toBe(403)
})

test('the last administrator without limits stays, as a role and as a person', async () => {
  await server.signIn('Lea', { role: 'administrator', orgUnit: sales })
  const grants = (await admin.ask('GET', `/estate/role-grants?personId=${admin.personId}`)).json().items
  const last = { data: { rule: 'last-administrator' } }
  expect((await admin.ask('DELETE', `/estate/role-grants/${grants[0].id}`)).json()).toMatchObject(last)
  expect((await admin.ask('POST', `/estate/people/${admin.personId}/retire`, {})).json()).toMatchObject(last)
  const second = await server.signIn('Sam', { role: 'administrator' })
  expect((await second.ask('POST', `/estate/people/${second.personId}/retire`, {})).statusCode).toBe(200)
})

test('roles come from a file, all rows or none', async () => {
  await admin.ask('POST', '/estate/people/import', 'email,name\nzoe@example.org,Zoe\n')
  const send = (text: string) => admin.ask('POST', '/estate/role-grants/import', text)
  const bad = await send('email,role,org_unit\nzoe@example.org,auditor,\nzoe@example.org,king,\n')
  expect(bad.json().data).toMatchObject({ line: 3, field: 'role' })
  const file = 'email,role,org_unit\nzoe@example.org,auditor,\nzoe@example.org,operations,sales\n'
  expect((await send(file)).json()).toEqual({ created: 2, updated: 0, unchanged: 0 })
  expect((await send(file)).json()).toEqual({ created: 0, updated: 0, unchanged: 2 })
})

test('the matrix can be read in words', async () => {
  const matrix = (await admin.ask('GET', '/estate/roles')).json<{ role: string; allows: { means: string }[] }[]>()
  expect(matrix.find(({ role }) => role === 'board-member')?.allows.map(({ means }) => means)).toContain(
    'Vote on a case',
  )
})
