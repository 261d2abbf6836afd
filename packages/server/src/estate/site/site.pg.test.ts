import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer } from '#/platform/test/test-server.ts'
import type { Caller, TestServer } from '#/platform/test/test-server.ts'

let server: TestServer
let admin: Caller

beforeAll(async () => {
  server = await startTestServer({ upTo: 2, features: [] })
  admin = await server.signIn('Ada', { role: 'administrator' })
})

afterAll(async () => {
  await server[Symbol.asyncDispose]()
})

test('a site is added, moved to another time zone, and retired when nobody works there', async () => {
  const site = (
    await admin.ask('POST', '/estate/sites', { code: 'Leeds', name: 'Leeds', timeZone: 'Europe/London', country: 'gb' })
  ).json()
  expect(site).toMatchObject({ code: 'leeds', country: 'GB', version: 1 })
  const changed = await admin.ask('PATCH', `/estate/sites/${site.id}`, { timeZone: 'Europe/Dublin', country: null })
  expect(changed.json()).toMatchObject({ timeZone: 'Europe/Dublin', country: null, version: 2 })

  const person = (
    await admin.ask('POST', '/estate/people', { name: 'Bo', email: 'bo@example.org', siteId: site.id })
  ).json()
  const retire = () => admin.ask('POST', `/estate/sites/${site.id}/retire`, {})
  expect((await retire()).json()).toMatchObject({ data: { rule: 'site-in-use', fact: '1 people work at this site.' } })
  await admin.ask('POST', `/estate/people/${person.id}/retire`, {})
  expect((await retire()).json()).toMatchObject({ state: 'retired' })
  expect((await admin.ask('GET', '/estate/sites?state=retired')).json().items).toHaveLength(1)
})

test('two who add the same site at once get one site and one refusal', async () => {
  const add = () => admin.ask('POST', '/estate/sites', { code: 'york', name: 'York', timeZone: 'Europe/London' })
  const replies = await Promise.all([add(), add(), add()])
  expect(replies.map((reply) => reply.statusCode).sort((a, b) => a - b)).toEqual([201, 409, 409])
  for (const reply of replies.filter(({ statusCode }) => statusCode === 409)) {
    expect(reply.json()).toMatchObject({ code: 'REFUSED', data: { rule: 'already-there' } })
  }
})

test('whoever keeps one site changes that site and adds none', async () => {
  const make = (code: string) => admin.ask('POST', '/estate/sites', { code, name: code, timeZone: 'UTC' })
  const [own, other] = [(await make('own')).json(), (await make('other')).json()]
  const keeper = await server.signIn('Kim', { role: 'configuration-manager', site: own.id })
  expect((await keeper.ask('PATCH', `/estate/sites/${own.id}`, { name: 'Mine' })).statusCode).toBe(200)
  expect((await keeper.ask('PATCH', `/estate/sites/${other.id}`, { name: 'Mine' })).statusCode).toBe(403)
  expect((await keeper.ask('POST', '/estate/sites', { code: 'third', name: 'T', timeZone: 'UTC' })).statusCode).toBe(
    403,
  )
})
