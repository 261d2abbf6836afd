import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { members, twoOf } from '@bascule/trust/testing/world.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type SignerClient, connectSigner } from '#/platform/signer-client.ts'
import { firstCeremony, firstGo } from '../testing/ceremony.ts'

const program = fileURLToPath(new URL('../../signer.ts', import.meta.url))
const killer = fileURLToPath(new URL('../kill-at.child.ts', import.meta.url))

let data: string
let running: ChildProcess[]
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'bascule-publish-'))
  running = []
})
afterEach(async () => {
  for (const child of running) await end(child, 'SIGKILL')
  rmSync(data, { recursive: true })
})

test('killed at any durable call of a publication, it has published all of it or nothing, and goes on', async () => {
  const at = Temporal.Now.instant()
  const ceremonyFolder = await afterTheCeremony(at)
  const go = firstGo(twoOf(members), at)
  for (let call = 1; ; call += 1) {
    const folder = join(data, `kill-at-${call}`)
    cpSync(ceremonyFolder, folder, { recursive: true })
    const { isKilled, names } = await publishKilledAt(folder, call, go)

    const { client } = await start(folder)
    await using _client = client
    const found = (await client.repositoryFiles()).map(({ name }) => name)
    // What was answered is there. What was not is there as a whole, or not at all.
    if (names !== undefined) expect(found).toContain('2.retail.pos.json')
    expect(found.includes('2.snapshot.json')).toBe(found.includes('2.retail.pos.json'))
    expect(await client.publish(go)).toMatchObject({ ok: true })
    const present = (await client.repositoryFiles()).map(({ name }) => name)
    expect(present).toEqual(expect.arrayContaining(['1.root.json', '2.retail.pos.json', '2.snapshot.json']))
    for (const child of running.splice(0)) await end(child, 'SIGKILL')
    if (isKilled) continue
    // The matrix is only worth something when it went through every kind of call.
    expect(call).toBeGreaterThan(15)
    break
  }
})

/** A folder in which the first ceremony was held and the signer was stopped in order. */
async function afterTheCeremony(at: Temporal.Instant): Promise<string> {
  const folder = join(data, 'ceremony')
  const { child, client } = await start(folder)
  await using _client = client
  const { onlineKeys } = await client.status()
  const online = { snapshot: onlineKeys.snapshot.keyval.public, timestamp: onlineKeys.timestamp.keyval.public }
  expect(await client.publish(firstCeremony(online, at))).toMatchObject({ ok: true })
  expect(await end(child, 'SIGTERM')).toBe(0)
  return folder
}

async function publishKilledAt(folder: string, call: number, documents: ReturnType<typeof firstGo>) {
  const { child, client, isReady } = await start(folder, ['--import', killer], { KILL_AT: String(call) })
  await using _client = client
  // A client asks again for ever; when the signer is gone it is told so.
  void gone(child).then(() => client[Symbol.asyncDispose]())
  const answer = isReady ? await client.publish(documents).catch(() => undefined) : undefined
  await end(child, 'SIGTERM')
  const names = answer?.ok === true ? answer.value.map(({ name }) => name) : undefined
  return { isKilled: child.signalCode === 'SIGKILL', names }
}

async function start(folder: string, before: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const socketPath = join(folder, 's.sock')
  const args = [...before, program, '--data', folder, '--socket', socketPath]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], env })
  running.push(child)
  const isReady = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line').then(() => true),
    gone(child).then(() => false),
  ])
  const client: SignerClient = connectSigner(socketPath)
  return { child, client, isReady }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  child.kill(signal)
  await gone(child)
  return child.exitCode
}

async function gone(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}
