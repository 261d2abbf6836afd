import { type CheckIn, CheckInAnswer, devicePaths } from '@bascule/contract/device/protocol.ts'
import { signRequest } from '@bascule/trust/http-signature.ts'
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startSigner } from '#/platform/run-signer.ts'
import { startTestServer, type TestServer } from '#/platform/test/test-server.ts'
import { boardsOf } from '../testing/boards.ts'
import { addDevices, aRollout, deviceKey } from '../testing/delivery-world.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bascule-return-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

interface Running extends AsyncDisposable {
  readonly server: TestServer
  readonly files: () => ReadonlyMap<string, string>
}

/** A server over the signer's folder of this name, with two devices. */
async function run(name: string): Promise<Running> {
  await using held = new AsyncDisposableStack()
  mkdirSync(join(folder, name), { recursive: true })
  const signer = held.use(await startSigner({ dataFolder: join(folder, name), log: () => undefined }))
  const server = held.use(await startTestServer({ signerSocket: signer.socketPath }))
  await addDevices(server.db, 2)
  await server.services.fleet.refresh('all')
  const all = held.move()
  return {
    server,
    files: () => server.services.repository.files,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

/** What a device keeps after a Go that came after the backup, and the signer of the backup. */
async function aLoss(): Promise<{ kept: Record<string, string>; restored: Running }> {
  {
    await using before = await run('lost')
    const boards = await boardsOf(before.server.services)
    cpSync(join(folder, 'lost', 'signer'), join(folder, 'restored', 'signer'), { recursive: true })
    const { db, services } = before.server
    const actor = { kind: 'person', id: 'ada', name: 'Ada Keeper', grants: [{ role: 'release-manager' }] } as const
    await aRollout({ db, boards, blobs: services.blobs, call: { db, actor, now: services.now() } }, [{}])
    const kept = Object.fromEntries([...before.files()].map(([name, text]) => [name.replace(/^\d+\./, ''), text]))
    await before[Symbol.asyncDispose]()
    const restored = await run('restored')
    await restored.server.services.repository.current()
    return { kept, restored }
  }
}

let seq = 0
async function post({ server }: Running, device: number, path: string, body: object) {
  seq += 1
  const payload = JSON.stringify({ protocol: 1, seq, ...body })
  const signed = { method: 'POST', path, body: payload, seq, now: server.services.now() }
  const headers = { 'content-type': 'application/json', ...signRequest(deviceKey(device), signed) }
  return await server.app.inject({ method: 'POST', url: path, headers, payload })
}

async function checkIn(running: Running, device: number, metadataVersion: number): Promise<CheckInAnswer> {
  const said: Omit<CheckIn, 'protocol' | 'seq'> = {
    generation: 0,
    agentVersion: '0.1.0',
    factsHash: '0'.repeat(64),
    jobs: [],
    ask: [],
    reportHigh: 0,
    metadataVersion,
  }
  const reply = await post(running, device, devicePaths.checkIn, said)
  expect(reply.statusCode).toBe(200)
  return CheckInAnswer.parse(reply.json())
}

function versionIn(files: ReadonlyMap<string, string>, name: string): number {
  return (JSON.parse(files.get(name) ?? '') as { signed: { version: number } }).signed.version
}

test('a server that came back from a backup asks a device for what it lost, and hands it out again above all that was seen', async () => {
  const { kept, restored } = await aLoss()
  await using _restored = restored
  expect(restored.files().has('2.desk.sales-desk.json')).toBe(false)
  const seen = versionIn(new Map(Object.entries(kept)), 'timestamp.json')
  expect(await checkIn(restored, 1, seen)).toMatchObject({ wantMetadata: true, metadataVersion: 1 })

  const reply = await post(restored, 1, devicePaths.metadata, { files: kept })
  expect([reply.statusCode, reply.body]).toEqual([204, ''])
  expect(restored.files().get('2.desk.sales-desk.json')).toBe(kept['desk.sales-desk.json'])
  expect(versionIn(restored.files(), 'timestamp.json')).toBeGreaterThan(seen)
  const served = await restored.server.app.inject({ url: devicePaths.tuf('2.desk.sales-desk.json') })
  expect(served.body).toBe(kept['desk.sales-desk.json'])
  const after = await checkIn(restored, 2, seen)
  expect(after.wantMetadata).toBeUndefined()
  expect(after.metadataVersion).toBeGreaterThan(seen)
})

test('files that nobody asked for, or that were forged, change nothing, and the device that has the real ones is asked next', async () => {
  const { kept, restored } = await aLoss()
  await using _restored = restored
  const before = [...restored.files()]
  expect((await post(restored, 1, devicePaths.metadata, { files: kept })).statusCode).toBe(204)
  expect([...restored.files()]).toEqual(before)

  expect(await checkIn(restored, 1, 900)).toMatchObject({ wantMetadata: true })
  const role = JSON.parse(kept['desk.sales-desk.json'] ?? '') as { signed: object; signatures: object[] }
  const forged = { ...kept, 'desk.sales-desk.json': JSON.stringify({ ...role, signatures: role.signatures.slice(1) }) }
  expect((await post(restored, 1, devicePaths.metadata, { files: forged })).statusCode).toBe(204)
  expect([...restored.files()]).toEqual(before)

  await expect.poll(async () => (await checkIn(restored, 2, 3)).wantMetadata, { timeout: 10_000 }).toBe(true)
  await post(restored, 2, devicePaths.metadata, { files: kept })
  expect(restored.files().has('2.desk.sales-desk.json')).toBe(true)
})

test('a metadata file by a name that could climb is bad input', async () => {
  const { restored } = await aLoss()
  await using _restored = restored
  const reply = await post(restored, 1, devicePaths.metadata, { files: { '../../state.json': '{}' } })
  expect([reply.statusCode, reply.json<{ code: string }>().code]).toEqual([400, 'bad-input'])
})
