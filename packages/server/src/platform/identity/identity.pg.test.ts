import { api } from '@bascule/contract/api.ts'
import { walkProcedures } from '@bascule/contract/lib/walk.ts'
import { permissions } from '@bascule/domain/estate/permission.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { record } from '#/platform/ledger/record.ts'
import { startTestServer } from '#/platform/test/test-server.ts'
import type { Caller, TestServer } from '#/platform/test/test-server.ts'
import { ensureFirstAdministratorCode } from './one-time-code.service.ts'

let server: TestServer
let admin: Caller

beforeAll(async () => {
  server = await startTestServer({ upTo: 2, features: [] })
  admin = await server.signIn('Ada', { role: 'administrator' })
})

afterAll(async () => {
  await server[Symbol.asyncDispose]()
})

const procedures = walkProcedures(api).map(({ name, meta, route }) => ({
  name,
  permission: String(meta.permission),
  method: route.method ?? 'POST',
  url: `/api${(route.path ?? '').replaceAll(/\{\w+\}/g, '00000000-0000-7000-8000-000000000000')}`,
}))

test('every procedure that is not public asks who you are', async () => {
  for (const { name, permission, method, url } of procedures) {
    const reply = await server.app.inject({ method, url })
    if (permission === 'public') expect(reply.statusCode, name).not.toBe(401)
    else expect([reply.statusCode, reply.json().code], name).toEqual([401, 'SIGN_IN_NEEDED'])
  }
})

test('every procedure refuses who lacks its permission, and names it', async () => {
  const nobody = await server.signIn('Norma')
  const closed = procedures.filter(({ permission }) => permission !== 'public' && !permission.startsWith('session.'))
  expect(closed.length).toBeGreaterThan(20)
  for (const { name, permission, method, url } of closed) {
    const { cookie } = nobody
    const reply = await server.app.inject({ method, url, headers: { cookie, origin: 'http://localhost:80' } })
    expect([reply.statusCode, reply.json().data], name).toEqual([403, { permission }])
    expect(Object.keys(permissions)).toContain(permission)
  }
})

test('the first administrator comes in with a code that works once', async () => {
  await using fresh = await startTestServer({ upTo: 2, features: [] })
  const now = fresh.services.now()
  const old = await ensureFirstAdministratorCode(fresh.db, now)
  const code = await ensureFirstAdministratorCode(fresh.db, now)
  const claim = (payload: object) => fresh.app.inject({ method: 'POST', url: '/api/platform/welcome', payload })
  const ada = { name: 'Ada', email: 'Ada@Example.org', password: 'correct horse' }

  expect((await claim({ ...ada, code: old })).json()).toMatchObject({ code: 'REFUSED', data: { rule: 'code-spent' } })
  expect((await claim({ ...ada, code, password: 'short' })).json()).toMatchObject({ data: { field: 'password' } })
  expect((await claim({ ...ada, code })).statusCode).toBe(201)
  expect((await claim({ ...ada, email: 'eve@example.org', code })).statusCode).toBe(409)
  expect(await ensureFirstAdministratorCode(fresh.db, now)).toBeUndefined()

  const payload = { email: 'ada@example.org', password: 'correct horse' }
  const signedIn = await signInByPassword(fresh, payload)
  expect(signedIn.statusCode).toBe(200)
  const cookie = signedIn.cookies.map(({ name, value }) => `${name}=${encodeURIComponent(value)}`).join('; ')
  const me = await fresh.app.inject({ url: '/api/platform/session', headers: { cookie } })
  expect(me.json()).toMatchObject({ person: { email: 'ada@example.org' }, grants: [{ role: 'administrator' }] })
  expect((await signInByPassword(fresh, { ...payload, password: 'wrong horse' })).statusCode).toBe(401)
})

function signInByPassword({ app }: TestServer, payload: object) {
  const headers = { origin: 'http://localhost:80' }
  return app.inject({ method: 'POST', url: '/api/auth/sign-in/email', headers, payload })
}

test('who keeps Bascule alone takes on the offered roles at the welcome, each as a fact, and no others', async () => {
  await using fresh = await startTestServer({ upTo: 2, features: [] })
  const code = await ensureFirstAdministratorCode(fresh.db, fresh.services.now())
  const claim = (roles: string[]) => {
    const payload = { name: 'Ada', email: 'ada@example.org', password: 'correct horse', code, roles }
    return fresh.app.inject({ method: 'POST', url: '/api/platform/welcome', payload })
  }
  expect((await claim(['auditor'])).json()).toMatchObject({ code: 'BAD_INPUT', data: { field: 'roles.0' } })
  expect((await claim(['release-manager', 'configuration-manager'])).statusCode).toBe(201)

  const grants = await fresh.db.selectFrom('role_grant').select(['id', 'role', 'granted_by']).orderBy('role').execute()
  expect(grants.map(({ role, granted_by: by }) => [role, by])).toEqual([
    ['administrator', 'Ada'],
    ['configuration-manager', 'Ada'],
    ['release-manager', 'Ada'],
  ])
  const facts = await fresh.db.selectFrom('ledger').select('subject_id').where('did', '=', 'role.granted').execute()
  expect(new Set(facts.map((fact) => fact.subject_id))).toEqual(new Set(grants.map((grant) => grant.id)))
})

test('a code for the first administrator is worthless after a day', async () => {
  let now = Temporal.Now.instant()
  await using fresh = await startTestServer({ upTo: 2, features: [], now: () => now })
  const code = await ensureFirstAdministratorCode(fresh.db, now)
  now = now.add({ hours: 24 })
  const payload = { name: 'Ada', email: 'ada@example.org', password: 'correct horse', code }
  const reply = await fresh.app.inject({ method: 'POST', url: '/api/platform/welcome', payload })
  expect(reply.json()).toMatchObject({ code: 'REFUSED', data: { rule: 'code-spent' } })
})

test('a link signs its person in once, and the second use lands on the sign-in page', async () => {
  const ann = await server.signIn('Ann')
  const made = await admin.ask('POST', '/platform/sign-in-links', { personId: ann.personId })
  const path = new URL(made.json().url).pathname + new URL(made.json().url).search
  const first = await server.app.inject({ url: path })
  expect([first.statusCode, first.headers.location]).toEqual([302, '/'])
  expect(String(first.headers['set-cookie'])).toMatch(/HttpOnly.*SameSite=Lax/i)
  const second = await server.app.inject({ url: path })
  expect([second.headers.location, second.headers['set-cookie']]).toEqual(['/sign-in?problem=link-spent', undefined])
})

test('nobody signs up, and no other door of the sign-in library is open', async () => {
  for (const path of ['/sign-up/email', '/update-user', '/delete-user', '/list-sessions', '/change-email', '/error']) {
    const reply = await server.app.inject({ method: 'POST', url: `/api/auth${path}`, payload: {} })
    expect(reply.statusCode, path).toBe(404)
  }
})

test('who came by a link sets a password and later needs it to set another', async () => {
  const bob = await server.signIn('Bob')
  const set = (body: object) => bob.ask('POST', '/platform/session/password', body)
  expect((await set({ password: 'first password' })).statusCode).toBe(200)
  expect((await set({ password: 'second password' })).json()).toMatchObject({ data: { field: 'current' } })
  expect((await set({ current: 'first password', password: 'second password' })).statusCode).toBe(200)
  const { email } = (await bob.ask('GET', '/platform/session')).json().person
  expect((await signInByPassword(server, { email, password: 'first password' })).statusCode).toBe(401)
  expect((await signInByPassword(server, { email, password: 'second password' })).statusCode).toBe(200)
})

test('a new password ends every other session of the person and every link that is still open', async () => {
  const fay = await server.signIn('Fay')
  const link = async () => {
    const { url } = (await admin.ask('POST', '/platform/sign-in-links', { personId: fay.personId })).json()
    return new URL(url).pathname + new URL(url).search
  }
  const other = (await server.app.inject({ url: await link() })).cookies
  const cookie = other.map(({ name, value }) => `${name}=${encodeURIComponent(value)}`).join('; ')
  const elsewhere = () => server.app.inject({ url: '/api/platform/session', headers: { cookie } })
  const open = await link()
  expect((await elsewhere()).statusCode).toBe(200)
  expect((await fay.ask('POST', '/platform/session/password', { password: 'only mine now' })).statusCode).toBe(200)
  expect((await elsewhere()).statusCode).toBe(401)
  expect((await server.app.inject({ url: open })).headers.location).toBe('/sign-in?problem=link-spent')
  expect((await fay.ask('GET', '/platform/session')).statusCode).toBe(200)
})

test('signing out ends the session, and so does retiring the person', async () => {
  const [cara, dan] = [await server.signIn('Cara'), await server.signIn('Dan')]
  const out = await server.app.inject({
    method: 'POST',
    url: '/api/auth/sign-out',
    headers: { cookie: cara.cookie, origin: 'http://localhost:80' },
    payload: {},
  })
  expect(out.statusCode).toBe(200)
  expect((await cara.ask('GET', '/platform/session')).statusCode).toBe(401)
  expect((await dan.ask('GET', '/platform/session')).statusCode).toBe(200)
  await admin.ask('POST', `/estate/people/${dan.personId}/retire`, {})
  expect((await dan.ask('GET', '/platform/session')).statusCode).toBe(401)
})

test('a write with our cookie from another site, or without saying from where, is refused', async () => {
  const payload = { code: 'leeds', name: 'Leeds', timeZone: 'Europe/London' }
  const { cookie } = admin
  const write = (headers: Record<string, string>) =>
    server.app.inject({ method: 'POST', url: '/api/estate/sites', headers: { cookie, ...headers }, payload })
  expect((await write({ origin: 'https://evil.example' })).json()).toMatchObject({ code: 'CROSS_SITE' })
  expect((await write({})).json()).toMatchObject({ code: 'CROSS_SITE' })
  expect((await write({ origin: 'http://localhost:80' })).statusCode).toBe(201)
  const signIn = await server.app.inject({
    method: 'POST',
    url: '/api/auth/sign-in/email',
    headers: { cookie, origin: 'https://evil.example' },
    payload: { email: 'a@example.org', password: 'x'.repeat(12) },
  })
  expect(signIn.statusCode).toBe(403)
})

test('a machine works with its key within its role until the key is revoked', async () => {
  const made = await admin.ask('POST', '/platform/api-keys', { name: 'build', role: 'pipeline' })
  const { key, id, start } = made.json()
  const ask = (url: string) => server.app.inject({ url, headers: { authorization: `Bearer ${key}` } })

  expect((await ask('/api/platform/session')).json()).toMatchObject({
    actor: { kind: 'machine', name: 'build' },
    person: null,
  })
  expect((await ask('/api/estate/people')).json()).toMatchObject({ data: { permission: 'person.read' } })
  const stored = await server.db.selectFrom('api_key').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
  expect(JSON.stringify({ ...stored, hash: stored.hash.toString('utf8') })).not.toContain(
    String(key).slice(String(start).length),
  )
  expect((await admin.ask('GET', '/platform/api-keys')).body).not.toContain(key)

  const forgotten = heard(server, 'api-key')
  expect((await admin.ask('POST', `/platform/api-keys/${id}/revoke`, {})).json().revokedAt).not.toBeNull()
  await forgotten
  expect((await ask('/api/platform/session')).statusCode).toBe(401)
})

async function heard({ services }: TestServer, entity: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const deafen = services.bus.listen((notice) => {
    if (notice !== 'missed' && notice.some((change) => change.entity === entity)) resolve()
  })
  await promise
  deafen()
}

test('a key ends by itself when its time is over', async () => {
  let now = Temporal.Now.instant()
  await using later = await startTestServer({ upTo: 2, features: [], now: () => now })
  const ada = await later.signIn('Ada', { role: 'administrator' })
  const { key } = (await ada.ask('POST', '/platform/api-keys', { name: 'build', expiresInDays: 1 })).json()
  const ask = () => later.app.inject({ url: '/api/platform/session', headers: { 'x-api-key': key } })
  expect((await ask()).statusCode).toBe(200)
  now = now.add({ hours: 24, seconds: 31 })
  expect((await ask()).statusCode).toBe(401)
})

test('a machine never votes and never hands out rights', async () => {
  for (const role of ['board-member', 'administrator']) {
    const reply = await admin.ask('POST', '/platform/api-keys', { name: 'robot', role })
    expect(reply.json()).toMatchObject({ code: 'REFUSED', data: { rule: 'role-for-people-only' } })
  }
})

test('the ledger shows what was done to a thing and by whom, page by page', async () => {
  const eve = await server.signIn('Eve')
  for (const name of ['Eve B', 'Eve C']) await admin.ask('PATCH', `/estate/people/${eve.personId}`, { name })
  const page = async (after = '') =>
    (await admin.ask('GET', `/platform/ledger?subjectId=${eve.personId}&limit=1&after=${after}`)).json()
  const first = await page()
  expect(first.items).toMatchObject([{ did: 'person.changed', actor: { name: 'Ada' }, after: { name: 'Eve C' } }])
  expect((await page(first.next)).items).toMatchObject([{ before: { name: 'Eve' }, after: { name: 'Eve B' } }])
  expect((await admin.ask('POST', '/platform/ledger/verify', {})).json()).toMatchObject({ intact: true })
})

test('who reads the ledger within limits reads what was done with releases, and no more', async () => {
  const { id } = (
    await admin.ask('POST', '/estate/sites', { code: 'hull', name: 'Hull', timeZone: 'Europe/London' })
  ).json()
  await server.db.transaction().execute(async (tx) => {
    const actor = { kind: 'person', id: admin.personId, name: 'Ada' } as const
    const fact = (kind: string) => ({
      actor,
      at: server.services.now(),
      did: `${kind}.told`,
      subject: { kind, id: 'x' },
      releaseId: 'REL-0007',
    })
    await record(tx, fact('rollout'), fact('job'))
  })
  const local = await server.signIn('Gil', { role: 'release-manager', site: id })
  const told = async (who: Caller, filter: string) => {
    const { items } = (await who.ask('GET', `/platform/ledger?limit=200${filter}`)).json<{ items: { did: string }[] }>()
    return items.map(({ did }) => did)
  }
  expect(await told(admin, '')).toContain('site.created')
  expect(await told(local, '')).toEqual(['rollout.told'])
  expect(await told(local, `&subjectId=${admin.personId}`)).toEqual([])
  expect(await told(admin, '&releaseId=REL-0007')).toEqual(['job.told', 'rollout.told'])
})
