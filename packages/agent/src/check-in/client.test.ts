import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ReportsAnswer } from '@bascule/contract/device/protocol.ts'
import { expect, onTestFinished, test } from 'vitest'
import { post, retryAfterOf } from './client.ts'
import { backOffMs } from '#/engine/retry.ts'
import { createSoftClock } from './soft-clock.ts'

async function replyOf(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/behind/a/proxy`
  return await post(
    { server: url, path: '/device/v1/reports', body: {}, signal: new AbortController().signal },
    ReportsAnswer,
  )
}

test('the path of the server address is kept in front of the route', async () => {
  let path: string | undefined
  await replyOf((request, response) => {
    path = request.url
    response.end('{}')
  })
  expect(path).toBe('/behind/a/proxy/device/v1/reports')
})

test('429, 503 and a page of a captive portal mean later, never a failure; Retry-After is taken along', async () => {
  const limited = await replyOf((_request, response) => response.writeHead(429, { 'retry-after': '7' }).end())
  expect(limited).toMatchObject({ kind: 'later', retryAfterMs: 7000 })
  const down = await replyOf((_request, response) => response.writeHead(503).end('<h1>down</h1>'))
  expect(down).toMatchObject({ kind: 'later', retryAfterMs: null })
  const portal = await replyOf((_request, response) => response.end('<html>Please sign in</html>'))
  expect(portal).toMatchObject({ kind: 'later', why: 'the answer is not one of a Bascule server' })
  const cut = await replyOf((request) => request.socket.destroy())
  expect(cut.kind).toBe('later')
})

test('a refusal carries its code', async () => {
  const refused = await replyOf((_request, response) => {
    response.writeHead(403).end(JSON.stringify({ code: 'revoked', message: 'This device was revoked.' }))
  })
  expect(refused).toMatchObject({ kind: 'refused', problem: { code: 'revoked' } })
})

test('Retry-After is seconds or a date and never longer than a day', () => {
  const nowMs = Date.parse('2026-01-01T00:00:00Z')
  expect(retryAfterOf('90', nowMs)).toBe(90_000)
  expect(retryAfterOf('Thu, 01 Jan 2026 00:01:00 GMT', nowMs)).toBe(60_000)
  expect(retryAfterOf('99999999', nowMs)).toBe(86_400_000)
  expect(retryAfterOf('soon', nowMs)).toBeNull()
})

test('the pause between tries grows to an hour, never falls below five seconds and is never in step', () => {
  let random = 0
  const next = () => (random = (random + 0.37) % 1)
  const delays: number[] = []
  for (let delay: number | null = null; delays.length < 50;) delays.push((delay = backOffMs(delay, next)))
  expect(Math.min(...delays)).toBeGreaterThanOrEqual(5000)
  expect(Math.max(...delays)).toBeLessThanOrEqual(3_600_000)
  expect(Math.max(...delays)).toBeGreaterThan(600_000)
  expect(new Set(delays).size).toBeGreaterThan(20)
})

test('a wrong device clock follows the server, and time never runs behind what was seen', () => {
  let monotonicMs = 0
  const source = { wallMs: () => Date.parse('2001-01-01T00:00:00Z'), monotonicMs: () => monotonicMs }
  const clock = createSoftClock(() => '2026-01-01T00:00:00Z', source)
  expect(clock.now()).toBe('2026-01-01T00:00:00.000Z')
  clock.heard('2026-03-01T00:00:00Z')
  monotonicMs = 60_000
  expect(clock.now()).toBe('2026-03-01T00:01:00.000Z')
  clock.heard('2025-01-01T00:00:00Z')
  expect(clock.now()).toBe('2026-01-01T00:00:00.000Z')
})
