import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer } from '#/platform/test/test-server.ts'
import type { Caller, TestServer } from '#/platform/test/test-server.ts'
import { safePath } from './web-files.ts'

let server: TestServer
let admin: Caller
let web: string

beforeAll(async () => {
  web = mkdtempSync(join(tmpdir(), 'web-'))
  mkdirSync(join(web, 'assets'))
  writeFileSync(join(web, 'index.html'), '<!doctype html><title>Bascule</title>')
  writeFileSync(join(web, 'assets', 'main-abc123.js'), 'export {}')
  server = await startTestServer({ upTo: 2, features: [], env: { BASCULE_WEB: web } })
  admin = await server.signIn('Ada', { role: 'administrator' })
})

afterAll(async () => {
  await server[Symbol.asyncDispose]()
  rmSync(web, { recursive: true })
})

test('an input that is not right gets a 4xx that names the field, and nothing of it is stored', async () => {
  const send = (body: unknown) => admin.ask('POST', '/estate/sites', body)
  const bad = await send({ code: 'Leeds Town', name: '', timeZone: 'Mars/Base' })
  expect(bad.statusCode).toBe(400)
  const { problems } = bad.json().data as { problems: { field: string }[] }
  expect(problems.map(({ field }) => field)).toEqual(['code', 'name', 'timeZone'])
  expect((await send({})).json()).toMatchObject({ code: 'BAD_INPUT', data: { field: 'code', problem: 'is missing' } })
  expect((await admin.ask('GET', '/estate/sites/leeds')).json()).toMatchObject({ data: { field: 'siteId' } })
  expect((await admin.ask('GET', '/estate/sites?limit=0')).json()).toMatchObject({ data: { field: 'limit' } })
  expect((await admin.ask('GET', '/estate/sites')).json()).toEqual({ items: [] })
})

test('broken JSON, a foreign content type and a body too large are said so', async () => {
  const post = (headers: Record<string, string>, payload: string) =>
    server.app.inject({
      method: 'POST',
      url: '/api/estate/sites',
      headers: { cookie: admin.cookie, origin: 'http://localhost:80', ...headers },
      payload,
    })
  const broken = await post({ 'content-type': 'application/json' }, '{"code": ')
  expect(broken.json()).toMatchObject({ code: 'BAD_INPUT', status: 400, data: { field: 'body' } })
  expect((await post({ 'content-type': 'application/xml' }, '<x/>')).statusCode).toBe(415)
  const large = await post({ 'content-type': 'application/json' }, JSON.stringify({ name: 'x'.repeat(1_100_000) }))
  expect(large.json()).toMatchObject({ code: 'TOO_LARGE', status: 413, data: { limitBytes: 1_048_576 } })
})

test('who is not signed in is refused before the body is read', async () => {
  const reply = await server.app.inject({
    method: 'POST',
    url: '/api/estate/people/import',
    payload: 'x'.repeat(20_000_000),
  })
  expect(reply.statusCode).toBe(401)
})

test('the web application answers every path of a browser, with its files kept for ever and itself never', async () => {
  const page = await server.app.inject({ url: '/releases/17?tab=files' })
  expect([page.statusCode, page.headers['cache-control']]).toEqual([200, 'no-cache'])
  expect(page.body).toContain('<title>Bascule</title>')
  const asset = await server.app.inject({ url: '/assets/main-abc123.js' })
  expect(asset.headers).toMatchObject({
    'cache-control': 'public, max-age=31536000, immutable',
    'content-type': 'text/javascript; charset=utf-8',
  })
  const again = await server.app.inject({
    url: '/assets/main-abc123.js',
    headers: { 'if-none-match': String(asset.headers.etag) },
  })
  expect(again.statusCode).toBe(304)
  for (const url of ['/assets/gone.js', '/api/nothing', '/v2/nothing', '/blobs/sha256/00', '/.env']) {
    expect((await server.app.inject({ url })).statusCode, url).toBe(404)
  }
})

test('no path leads out of the folder of the web application', () => {
  for (const url of [
    '/../secret',
    '/%2e%2e/secret',
    '/..%2fsecret',
    '/a/%2e%2e/%2e%2e/secret',
    '/%00',
    '/%',
    '/.git/config',
  ]) {
    expect(safePath(url) ?? '/', url).not.toMatch(/\.\.|\.git|\0/)
  }
  expect(safePath('/assets/a.js?x=1')).toBe('/assets/a.js')
})

test('every answer carries the headers that keep browsers from guessing and framing', async () => {
  for (const url of ['/', '/livez', '/api/platform/session']) {
    const { headers } = await server.app.inject({ url })
    expect(headers['x-content-type-options'], url).toBe('nosniff')
    expect(headers['content-security-policy'], url).toContain("frame-ancestors 'none'")
    expect(String(headers['content-security-policy']), url).not.toMatch(/https?:|\*/)
  }
})

test('the API describes itself as OpenAPI 3.1, with the permission of each procedure', async () => {
  const document = (await server.app.inject({ url: '/api/openapi.json' })).json()
  expect(document.openapi).toMatch(/^3\.1\./)
  expect(document.paths['/estate/people'].get).toMatchObject({ 'x-permission': 'person.read' })
  expect(document.paths['/platform/welcome'].post.security).toEqual([])
  expect(document.paths['/estate/people/import'].post.requestBody.content).toHaveProperty('text/csv')
})

test('the page about the API names no other host as something to load, and may reach none', async () => {
  const page = await server.app.inject({ url: '/api/docs' })
  const script = await server.app.inject({ url: '/api/docs/js/scalar.js' })
  expect([page.statusCode, script.statusCode]).toEqual([200, 200])
  expect(page.body).toContain('src="/api/docs/js/scalar.js"')
  expect(page.body.match(/https?:\/\/[^"'\s]+/g) ?? []).toEqual([])
  expect(page.body).toContain('"telemetry": false')
  expect(page.headers['content-security-policy']).toMatch(/connect-src 'self';.*|connect-src 'self'$/)
  expect(String(page.headers['content-security-policy'])).not.toMatch(/https?:|\*/)
})

test('ready says what is missing, alive says only that we answer', async () => {
  expect((await server.app.inject({ url: '/livez' })).body).toBe('ok')
  const ready = await server.app.inject({ url: '/readyz' })
  expect(ready.statusCode).toBe(503)
  const { checks } = ready.json<{ checks: { name: string; ok: boolean }[] }>()
  expect(checks.map(({ name, ok }) => [name, ok])).toEqual([
    ['database', true],
    ['blobs', true],
    ['signer', false],
  ])
})
