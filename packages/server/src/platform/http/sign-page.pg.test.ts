import { hash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { api } from '@bascule/contract/api.ts'
import { walkProcedures } from '@bascule/contract/lib/walk.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer } from '#/platform/test/test-server.ts'
import type { Caller, TestServer } from '#/platform/test/test-server.ts'

const page = '<!doctype html><title>Sign</title>'
const script = 'export {}'
const sign = 'sign.localhost:8080'

let web: string
let server: TestServer
let ada: Caller

beforeAll(async () => {
  web = mkdtempSync(join(tmpdir(), 'web-'))
  mkdirSync(join(web, 'sign-page', 'assets'), { recursive: true })
  writeFileSync(join(web, 'index.html'), '<!doctype html><title>Bascule</title>')
  writeFileSync(join(web, 'sign-page', 'sign.html'), page)
  writeFileSync(join(web, 'sign-page', 'assets', 'sign-abc123.js'), script)
  server = await startTestServer({ upTo: 2, features: [tufRoute], env: { BASCULE_WEB: web } })
  ada = await server.signIn('Ada', { role: 'administrator' })
})

afterAll(async () => {
  await server[Symbol.asyncDispose]()
  rmSync(web, { recursive: true })
})

/** Stands where the files of the boards are served, and tells what it was asked with. */
function tufRoute() {
  return {
    routes: (app: TestServer['app']) => {
      app.get('/tuf/:name', async ({ headers }, reply) => await reply.send({ cookie: headers.cookie ?? null }))
    },
  }
}

async function ask(url: string, host = sign, method: 'GET' | 'POST' = 'GET') {
  return await server.app.inject({ method, url, headers: { host, cookie: ada.cookie } })
}

test('the name of the signing page gets the page and its files', async () => {
  const start = await ask('/')
  expect([start.statusCode, start.body, start.headers['cache-control']]).toEqual([200, page, 'no-cache'])
  const asset = await ask('/assets/sign-abc123.js')
  expect([asset.statusCode, asset.body]).toEqual([200, script])
  expect((await ask('/releases/17')).statusCode).toBe(404)
  expect((await ask('/../sign.html')).body).toBe(page)
})

test('no route of the application answers under the name of the signing page, whoever asks', async () => {
  const procedures = walkProcedures(api).map(({ route }) => `/api${route.path?.replaceAll(/\{\w+\}/g, '7')}`)
  const others = ['/api/auth/get-session', '/api/events', '/api/docs', '/v2/', '/device/v1/checkin', '/readyz']
  for (const url of new Set([...procedures, ...others])) {
    for (const method of ['GET', 'POST'] as const) {
      const reply = await ask(url, sign, method)
      expect([url, method, reply.statusCode]).toEqual([url, method, 404])
      expect(reply.cookies, url).toEqual([])
    }
  }
  expect((await ask('/api/platform/session', 'localhost:80')).statusCode).toBe(200)
})

test('the files of the boards come through on both names, without who asks', async () => {
  expect((await ask('/tuf/timestamp.json')).json()).toEqual({ cookie: null })
  expect((await ask('/tuf/timestamp.json', 'localhost:80')).statusCode).toBe(200)
  expect((await ask('/tuf/timestamp.json', sign, 'POST')).statusCode).toBe(404)
  const policy = String((await ask('/tuf/timestamp.json')).headers['content-security-policy'])
  expect(policy).toMatch(/^default-src 'none'; sandbox;/)
  expect((await ask('/tuf/..%2fapi%2fplatform%2fsession')).json()).toEqual({ cookie: null })
})

test('other spellings of the name are the same name', async () => {
  for (const host of ['SIGN.localhost', 'sign.localhost.', 'sign.localhost:9999']) {
    expect((await ask('/', host)).body, host).toBe(page)
    expect((await ask('/api/platform/session', host)).statusCode, host).toBe(404)
  }
})

test('the application does not know the signing page as its own', async () => {
  for (const url of [
    '/sign-page/sign.html',
    '/sign-page/assets/sign-abc123.js',
    '/Sign-Page/sign.html',
    '/%73ign-page/sign.html',
    '/sign.html',
  ]) {
    const reply = await ask(url, 'localhost:80')
    expect(reply.body, url).not.toContain('<title>Sign</title>')
    expect(reply.statusCode, url).toBe(404)
  }
})

test('the signing page loads its own files only, stands in no frame, and may still answer the window that opened it', async () => {
  for (const url of ['/', '/nothing', '/main-origin.json']) {
    const { headers } = await ask(url)
    const policy = String(headers['content-security-policy'])
    expect(policy, url).toContain("default-src 'none'")
    expect(policy, url).toContain("connect-src 'self'")
    expect(policy, url).toContain("frame-ancestors 'none'")
    expect(policy, url).not.toMatch(/unsafe|https?:|\*|data:|blob:/)
    expect(headers['cross-origin-opener-policy'], url).toBe('unsafe-none')
    expect(headers['permissions-policy'], url).toContain('publickey-credentials-get=(self)')
  }
  const application = await ask('/', 'localhost:80')
  expect(application.headers['cross-origin-opener-policy']).toBe('same-origin-allow-popups')
})

test('both names say which build of the signing page it is, as sha256sum would', async () => {
  const files = { 'assets/sign-abc123.js': hash('sha256', script), 'sign.html': hash('sha256', page) }
  const sha256 = hash(
    'sha256',
    Object.entries(files)
      .map(([path, sum]) => `${sum}  ${path}\n`)
      .join(''),
  )
  expect((await ask('/sign-build.json')).json()).toEqual({ sha256, files })
  const told = (await ask('/sign-build.json', 'localhost:8080')).json()
  expect(told).toEqual({ url: 'http://sign.localhost:8080', sha256, files })
})

test('the page learns which origins are the application, whatever a message says', async () => {
  const origins = async (host: string) => (await ask('/main-origin.json', host)).json<{ mainOrigins: string[] }>()
  expect(await origins('sign.till.example.org')).toEqual({ mainOrigins: ['http://till.example.org'] })
  expect(await origins(sign)).toEqual({
    mainOrigins: ['http://localhost:8080', 'http://127.0.0.1:8080', 'http://[::1]:8080'],
  })
})

test('the application says where the signing page is, and that a number has none', async () => {
  const urlOf = async (host: string) => (await ask('/sign-build.json', host)).json<{ url: string | null }>().url
  expect(await urlOf('127.0.0.1:8080')).toBe('http://sign.localhost:8080')
  expect(await urlOf('[::1]:8080')).toBe('http://sign.localhost:8080')
  expect(await urlOf('till.example.org')).toBe('http://sign.till.example.org')
  expect(await urlOf('192.0.2.7:8080')).toBeNull()
})

test('with a public address only its own signing name is the signing page', async () => {
  const publicUrl = 'https://releases.example.org'
  await using other = await startTestServer({ features: [], env: { BASCULE_WEB: web, BASCULE_PUBLIC_URL: publicUrl } })
  const at = async (url: string, host: string) => await other.app.inject({ url, headers: { host } })
  expect((await at('/', 'sign.releases.example.org')).body).toBe(page)
  expect((await at('/main-origin.json', 'sign.releases.example.org')).json()).toEqual({ mainOrigins: [publicUrl] })
  expect((await at('/', 'sign.elsewhere.example.org')).body).not.toBe(page)
})

test('the signing page may have any other name', async () => {
  const env = {
    BASCULE_WEB: web,
    BASCULE_PUBLIC_URL: 'https://releases.example.org',
    BASCULE_SIGN_URL: 'https://keys.example.net',
  }
  await using other = await startTestServer({ features: [], env })
  const at = async (url: string, host: string) => await other.app.inject({ url, headers: { host } })
  expect((await at('/', 'keys.example.net')).body).toBe(page)
  expect((await at('/sign-build.json', 'releases.example.org')).json()).toMatchObject({ url: env.BASCULE_SIGN_URL })
  expect((await at('/', 'sign.releases.example.org')).body).not.toBe(page)
})
