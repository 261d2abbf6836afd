import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:https'
import type { IncomingMessage } from 'node:http'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { makeCertificate, openssl } from '@bascule/testkit/certificate.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createSignInCode } from '#/platform/identity/one-time-code.service.ts'
import { system } from '#/platform/lib/actor.ts'
import { startTestServer } from '#/platform/test/test-server.ts'
import type { TestServer } from '#/platform/test/test-server.ts'

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tls-'))
})

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

interface Answer {
  readonly status: number | undefined
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

async function get(url: string, agent: Agent): Promise<Answer> {
  const sent = request(url, { agent }).end()
  const [reply] = (await once(sent, 'response')) as [IncomingMessage]
  return { status: reply.statusCode, headers: reply.headers, body: await text(reply) }
}

async function signInLink(server: TestServer): Promise<string> {
  const ada = await server.signIn('Ada', { role: 'administrator' })
  const made = await createSignInCode(server.db, { actor: system, now: server.services.now() }, ada.personId)
  if (!made.ok) throw new Error('no sign-in code')
  return `/api/auth/sign-in/link?code=${made.value.code}`
}

test.skipIf(openssl === undefined)(
  'a server with a certificate speaks https only, with cookies for https only (needs openssl)',
  async () => {
    const { cert, key } = await makeCertificate(folder, { host: 'localhost', days: 2 })
    await using server = await startTestServer({ env: { BASCULE_TLS_CERT: cert, BASCULE_TLS_KEY: key } })
    const url = await server.listen()
    expect(url).toMatch(/^https:\/\/localhost:\d+$/)
    const agent = new Agent({ ca: readFileSync(cert) })
    const alive = await get(`${url}/livez`, agent)
    expect(alive).toMatchObject({ status: 200, body: 'ok' })
    expect(alive.headers['strict-transport-security']).toMatch(/^max-age=\d{8}/)

    const signedIn = await get(`${url}${await signInLink(server)}`, agent)
    const cookies = signedIn.headers['set-cookie'] ?? []
    expect(cookies.length).toBeGreaterThan(0)
    for (const cookie of cookies) expect(cookie).toMatch(/;\s*Secure/i)

    agent.destroy()
    await expect(get(`${url}/livez`, new Agent())).rejects.toThrow(/self-signed|certificate/)
    await expect(fetch(url.replace('https:', 'http:'))).rejects.toThrow('fetch failed')
  },
)

test('behind a proxy the public address decides: secure cookies, and writes only from its pages', async () => {
  const publicUrl = 'https://releases.example.org'
  await using server = await startTestServer({
    env: { BASCULE_PUBLIC_URL: publicUrl, BASCULE_TRUSTED_PROXIES: '127.0.0.1' },
  })
  expect(await server.listen()).toBe(publicUrl)
  const forwarded = { host: 'releases.example.org', 'x-forwarded-proto': 'https', 'x-forwarded-for': '203.0.113.9' }
  const signedIn = await server.app.inject({ url: await signInLink(server), headers: forwarded })
  expect(signedIn.cookies.length).toBeGreaterThan(0)
  for (const { secure, httpOnly } of signedIn.cookies) expect([secure, httpOnly]).toEqual([true, true])
  expect(signedIn.headers['strict-transport-security']).toBeDefined()

  const cookie = signedIn.cookies.map(({ name, value }) => `${name}=${encodeURIComponent(value)}`).join('; ')
  const site = { code: 'leeds', name: 'Leeds', timeZone: 'Europe/London' }
  const write = async (origin: string) =>
    await server.app.inject({
      method: 'POST',
      url: '/api/estate/sites',
      headers: { ...forwarded, cookie, origin },
      payload: site,
    })
  expect((await write('http://localhost:8080')).json()).toMatchObject({ code: 'CROSS_SITE' })
  expect((await write(publicUrl)).statusCode).toBe(201)
})

test('on plain http cookies are not marked secure, because the browser would not send them back', async () => {
  await using server = await startTestServer()
  const signedIn = await server.app.inject({ url: await signInLink(server) })
  expect(signedIn.cookies.map(({ secure }) => secure === true)).not.toContain(true)
  expect(signedIn.headers['strict-transport-security']).toBeUndefined()
})
