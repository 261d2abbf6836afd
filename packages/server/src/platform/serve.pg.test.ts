import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { verifyLedger } from '#/platform/ledger/verify-ledger.ts'
import { ledgerFeature } from '#/platform/ledger/ledger.feature.ts'
import { startTestServer } from '#/platform/test/test-server.ts'
import type { FeatureFactory } from './feature.ts'
import { wake } from './jobs/timer.ts'

async function aFreePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}

test('metrics are fetched from a port of their own and count requests by route', async () => {
  const port = await aFreePort()
  await using server = await startTestServer({ upTo: 2, features: [], env: { BASCULE_METRICS_PORT: String(port) } })
  const url = await server.listen()
  for (let n = 0; n < 3; n += 1) await (await fetch(`${url}/livez`)).text()
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  expect(metrics).toMatch(/http_server_request_duration_seconds_count\{[^}]*route="\/livez"[^}]*\} 3/)
  expect(metrics).toMatch(/^process_memory_rss_bytes [1-9]/m)
  expect((await fetch(`${url}/metrics`)).headers.get('content-type')).not.toContain('version=0.0.4')
})

test('a feature brings routes, reconcilers and facts, starts before the first request and is disposed last to first', async () => {
  const told: string[] = []
  const done = Promise.withResolvers<string>()
  const feature: FeatureFactory = ({ db, now }) => ({
    routes(app) {
      app.get('/extra', () => ({ told }))
    },
    reconcilers: {
      extra: async (key) => {
        done.resolve(key)
        await Promise.resolve()
      },
    },
    facts: {
      'extra.known': (subject, at) =>
        Promise.resolve({ name: 'extra.known', value: subject.id, sentence: 'It is known.', asOf: at }),
    },
    async start() {
      told.push('started')
      await wake(db, 'extra', 'k1', now())
      return { [Symbol.asyncDispose]: () => Promise.resolve(void told.push('disposed')) }
    },
  })
  {
    await using server = await startTestServer({ upTo: 2, features: [feature] })
    const url = await server.listen()
    expect(await (await fetch(`${url}/extra`)).json()).toEqual({ told: ['started'] })
    expect(await done.promise).toBe('k1')
    const fact = await server.services.facts.ask('extra.known', { kind: 'x', id: '7' }, server.services.now())
    expect(fact).toMatchObject({ ok: true, value: { value: '7' } })
  }
  expect(told).toEqual(['started', 'disposed'])
})

test('a running server seals its ledger by itself', async () => {
  await using server = await startTestServer({ upTo: 2, features: [ledgerFeature] })
  await server.listen()
  await server.signIn('Ann', { role: 'auditor' })
  await expect
    .poll(() => verifyLedger(server.db), { timeout: 10_000 })
    .toMatchObject({ intact: true, unsealed: 0, facts: 2 })
})
