import { devicePaths, type Report, type Reports } from '@bascule/contract/device/protocol.ts'
import { signRequest } from '@bascule/trust/http-signature.ts'
import { expect, test } from 'vitest'
import { startTestServer, type TestServer } from '#/platform/test/test-server.ts'
import { addDevices, deviceKey, startOfTests as now } from '../testing/delivery-world.ts'

const path = devicePaths.reports

function post({ app }: TestServer, payload: string, headers: Record<string, string>) {
  return app.inject({ method: 'POST', url: path, headers: { 'content-type': 'application/json', ...headers }, payload })
}

test('who is no device of ours is turned away before its body is read', async () => {
  await using server = await startTestServer()
  await addDevices(server.db, 2)
  await server.db.updateTable('device').set({ state: 'revoked' }).where('id', '=', 2).execute()
  await server.services.fleet.refresh('all')
  // Larger than any body that is read: who is let through to the body is told that it is too large.
  const large = 'x'.repeat(5_000_000)
  const signedBy = (device: number) => signRequest(deviceKey(device), { method: 'POST', path, body: 'x', seq: 1, now })
  const told = async (headers: Record<string, string>) => {
    const reply = await post(server, large, headers)
    return [reply.statusCode, reply.json().code]
  }
  expect(await told({})).toEqual([401, 'bad-signature'])
  expect(await told({ ...signedBy(1), 'signature-input': 'bascule=()' })).toEqual([401, 'bad-signature'])
  expect(await told(signedBy(3))).toEqual([401, 'unknown-device'])
  expect(await told(signedBy(2))).toEqual([403, 'revoked'])
  expect(await told(signedBy(1))).toEqual([413, 'TOO_LARGE'])
})

test('a device that reports without end is told to wait, keeps what it has, and goes on later without a gap', async () => {
  let clock = now
  await using server = await startTestServer({ now: () => clock })
  await addDevices(server.db, 2)
  await server.services.fleet.refresh('all')
  const send = (device: number, from: number, seq: number) => {
    const reports: Report[] = Array.from({ length: 100 }, (_, at) => ({
      seq: from + at,
      job: '1',
      at: now.toString(),
      step: 'downloading',
      notes: [],
    }))
    const payload = JSON.stringify({ protocol: 1, seq, reports } satisfies Reports)
    return post(server, payload, signRequest(deviceKey(device), { method: 'POST', path, body: payload, seq, now }))
  }
  let seq = 1
  for (; seq <= 20; seq += 1)
    expect((await send(1, seq * 100 - 99, seq)).json()).toMatchObject({ reportHigh: seq * 100 })
  const refused = await send(1, 2001, seq)
  expect([refused.statusCode, refused.headers['retry-after'], refused.json()]).toMatchObject([
    429,
    '2',
    { code: 'busy' },
  ])
  const { stored } = await server.db
    .selectFrom('report')
    .select((eb) => eb.fn.countAll<number>().as('stored'))
    .executeTakeFirstOrThrow()
  expect(stored).toBe(2000)
  expect((await send(2, 1, 1)).statusCode).toBe(200)
  clock = clock.add({ seconds: 20 })
  expect((await send(1, 2001, seq + 1)).json()).toMatchObject({ reportHigh: 2010 })
})
