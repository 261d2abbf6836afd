import { expect, test } from 'vitest'
import { startTestServer, type TestServer } from '#/platform/test/test-server.ts'

function signIn({ app }: TestServer, email: string, password: string, remoteAddress = '192.0.2.1') {
  const headers = { origin: 'http://localhost:80' }
  return app.inject({
    method: 'POST',
    url: '/api/auth/sign-in/email',
    headers,
    payload: { email, password },
    remoteAddress,
  })
}

test('a link dies when its person gets a role after it was made, and a new one opens', async () => {
  let now = Temporal.Now.instant()
  await using server = await startTestServer({ upTo: 2, features: [], now: () => now })
  const ada = await server.signIn('Ada', { role: 'administrator' })
  const bob = await server.signIn('Bob', { role: 'tester' })
  const link = async () => {
    const { url } = (await ada.ask('POST', '/platform/sign-in-links', { personId: bob.personId })).json()
    return new URL(url).pathname + new URL(url).search
  }
  const stolen = await link()
  now = now.add({ minutes: 1 })
  const granted = await ada.ask('POST', '/estate/role-grants', { personId: bob.personId, role: 'release-manager' })
  expect(granted.statusCode).toBe(201)
  const refused = await server.app.inject({ url: stolen })
  expect([refused.headers.location, refused.headers['set-cookie']]).toEqual(['/sign-in?problem=link-spent', undefined])
  expect((await server.app.inject({ url: stolen })).headers.location).toBe('/sign-in?problem=link-spent')
  const told = await server.db.selectFrom('ledger').select('did').where('did', 'like', 'person.link-%').execute()
  expect(told.map(({ did }) => did)).toContain('person.link-refused')
  expect((await server.app.inject({ url: await link() })).headers.location).toBe('/')
})

test('an account is closed for a while after ten wrong passwords from anywhere, and no other account with it', async () => {
  let now = Temporal.Now.instant()
  await using server = await startTestServer({ upTo: 2, features: [], now: () => now })
  const [ada, bob] = [await server.signIn('Ada'), await server.signIn('Bob')]
  for (const one of [ada, bob]) await one.ask('POST', '/platform/session/password', { password: 'right password' })
  const emailOf = async (one: typeof ada) => String((await one.ask('GET', '/platform/session')).json().person.email)
  const [adas, bobs] = [await emailOf(ada), await emailOf(bob)]
  for (let attempt = 0; attempt < 10; attempt += 1) {
    expect(
      (await signIn(server, adas.toUpperCase(), `wrong password ${attempt}`, `192.0.2.${attempt}`)).statusCode,
    ).toBe(401)
  }
  const closed = await signIn(server, adas, 'right password', '198.51.100.7')
  expect([closed.statusCode, closed.headers['retry-after'], closed.json()]).toEqual([
    429,
    '900',
    {
      code: 'TOO_MANY_ATTEMPTS',
      message:
        'Too many wrong passwords for this account. Try again in 15 minutes, or ask an administrator for a sign-in link.',
    },
  ])
  expect((await signIn(server, bobs, 'right password')).statusCode).toBe(200)
  now = now.add({ minutes: 15 })
  expect((await signIn(server, adas, 'right password', '198.51.100.7')).statusCode).toBe(200)
})

test('who is not there is counted like who is, so that the answer does not tell who has an account', async () => {
  await using server = await startTestServer({ upTo: 2, features: [] })
  for (let attempt = 0; attempt < 10; attempt += 1) {
    expect((await signIn(server, 'nobody@example.org', 'wrong password')).statusCode).toBe(401)
  }
  expect((await signIn(server, 'nobody@example.org', 'wrong password')).statusCode).toBe(429)
})

test('guesses that come all at once count like guesses one after the other', async () => {
  await using server = await startTestServer({ upTo: 2, features: [] })
  const guess = (at: number) => signIn(server, 'nobody@example.org', `wrong password ${at}`, `192.0.2.${at}`)
  const replies = await Promise.all(Array.from({ length: 15 }, (_, at) => guess(at)))
  const statuses = replies.map(({ statusCode }) => statusCode).toSorted((a, b) => a - b)
  expect(statuses).toEqual([...Array<number>(10).fill(401), ...Array<number>(5).fill(429)])
})

test('what never came to the password is no wrong password', async () => {
  await using server = await startTestServer({ upTo: 2, features: [] })
  for (let attempt = 0; attempt < 11; attempt += 1) {
    expect((await signIn(server, 'no address', 'wrong password')).statusCode).toBe(400)
  }
})
