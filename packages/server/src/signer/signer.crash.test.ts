import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { TufKey } from '@bascule/contract/device/protocol.ts'
import { verifyAssignment } from '@bascule/trust/assignment.ts'
import { canonicalJson } from '@bascule/trust/canonical.ts'
import { expiryText } from '@bascule/trust/envelope.ts'
import { sha256Hex } from '@bascule/trust/keys.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startSigner } from '../platform/run-signer.ts'
import { type SignerClient, connectSigner } from '../platform/signer-client.ts'
import type { SignItem, SignResult } from './protocol.ts'
import { rememberEntry } from './signed-memory.ts'
import { type SignedLine, emptyLogHead, readSignerLog } from './signer-log.ts'

const program = fileURLToPath(new URL('../signer.ts', import.meta.url))
const killer = fileURLToPath(new URL('kill-at.child.ts', import.meta.url))
const expires = expiryText(Temporal.Now.instant().add({ hours: 24 }))

let data: string
let socketPath: string
let children: ChildProcess[]
let clients: SignerClient[]
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'bascule-signer-test-'))
  socketPath = join(data, 's.sock')
  children = []
  clients = []
})
afterEach(async () => {
  for (const client of clients) await client[Symbol.asyncDispose]()
  for (const child of children) await end(child, 'SIGKILL')
  rmSync(data, { recursive: true })
})

test('killed in the middle of batches, it never signs a generation twice and loses nothing it answered', async () => {
  const answered: SignResult[] = []
  for (let round = 1; round <= 8; round += 1) {
    const { child, directorKey } = await start()
    const client = aClient()
    for (let batch = 0; batch < round % 3; batch += 1) {
      answered.push(...(await client.signAssignments(items(100, round * 10 + batch))))
    }
    const lost = client.signAssignments(items(100, round * 10 + 9)).catch((error: unknown) => error)
    await turns(round)
    await end(child, 'SIGKILL')
    expectIntactLog(answered)

    const second = await start()
    expect(second.directorKey).toEqual(directorKey)
    // The client asked again by itself: the same content gives the same document, whether or not it was recorded.
    const repeated = (await lost) as readonly SignResult[]
    expect(repeated.map(assignmentOf)).toHaveLength(100)
    expect(repeated.every((result) => isGenuine(result, directorKey))).toBe(true)
    answered.push(...repeated)

    const older = await client.signAssignments(items(100, round * 10 + 8))
    expect(older.map(codeOf)).toEqual(older.map(() => 'generation-used'))
    await end(second.child, 'SIGKILL')
  }
  expectIntactLog(answered)
})

test('killed at any durable call of a first start, two batches and a stop, it goes on where it was', async () => {
  for (let call = 1; ; call += 1) {
    const folder = join(data, `kill-at-${call}`)
    mkdirSync(folder)
    const run = await runKilledAt(folder, call)
    const { directorKey } = await start([], undefined, folder)
    if (run.directorKey) expect(directorKey).toEqual(run.directorKey)
    const client = aClient()
    const two = await client.signAssignments(items(20, 2))
    expect(two.every((result) => isGenuine(result, directorKey))).toBe(true)
    expect((await client.signAssignments(items(20, 1))).map(codeOf)).toEqual(Array(20).fill('generation-used'))
    for (const child of children) await end(child, 'SIGKILL')
    expectIntactLog([...run.answered, ...two], folder)
    if (!run.isKilled) {
      // The matrix is only worth something when it went through every kind of call.
      expect(call).toBeGreaterThan(15)
      break
    }
  }
})

test('a line torn by a loss of power is cut off at the next start and told in the log', async () => {
  const first = await start()
  const answered = await aClient().signAssignments(items(3, 1))
  await end(first.child, 'SIGKILL')
  appendFileSync(logPath(), '{"body":{"at":"2026')
  const second = await start()
  expect(readFileSync(logPath(), 'utf8')).toContain('"tornBytes":19')
  await end(second.child, 'SIGTERM')
  expectIntactLog(answered)
})

test('a damaged log, a lost log and a lost key each refuse the start with a sentence', async () => {
  const { child } = await start()
  await aClient().signAssignments(items(3, 1))
  await end(child, 'SIGTERM')
  const log = readFileSync(logPath(), 'utf8')

  rmSync(logPath())
  expect(await refusedStart()).toMatchObject({ code: 1, said: expect.stringContaining('a key but no log') })
  writeFileSync(logPath(), log, { mode: 0o600 })
  rmSync(join(data, 'signer/director.pem'))
  expect(await refusedStart()).toMatchObject({ code: 1, said: expect.stringContaining('a log but no key') })
  rmSync(join(data, 'signer/generations'))
  appendFileSync(logPath(), log)
  expect(await refusedStart()).toMatchObject({ code: 1, said: expect.stringContaining('damaged') })
})

test('key, folder and socket are private, and an open folder is refused', async () => {
  const { child } = await start()
  expect(modeOf('signer')).toBe('700')
  expect(modeOf('signer/director.pem')).toBe('600')
  expect(modeOf('signer/log.jsonl')).toBe('600')
  expect(modeOf('s.sock')).toBe('600')
  await end(child, 'SIGTERM')
  chmodSync(join(data, 'signer'), 0o750)
  expect(await refusedStart()).toMatchObject({ code: 1, said: expect.stringContaining('chmod 700') })
})

test('a second signer on the same folder is refused and the first goes on', async () => {
  await start()
  const other = await refusedStart(join(data, 'other.sock'))
  expect(other).toMatchObject({ code: 75, said: expect.stringContaining('already works') })
  expect((await aClient().signAssignments(items(1, 1))).map(codeOf)).toEqual(['signed'])
})

test('SIGTERM ends it in order: the socket is gone and the memory stays', async () => {
  const { child } = await start()
  await aClient().signAssignments(items(5, 7))
  expect(await end(child, 'SIGTERM')).toBe(0)
  expect(existsSync(socketPath)).toBe(false)
  await start()
  expect(await aClient().status()).toMatchObject({ deviceCount: 5 })
  expect((await aClient().signAssignments(items(5, 6))).map(codeOf)).toEqual(Array(5).fill('generation-used'))
})

test('with a parent it ends when the parent is gone', async () => {
  const { child } = await start(['--with-parent'])
  child.stdin?.end()
  await gone(child)
  expect(child.exitCode).toBe(0)
})

test('calls that come together share a batch, and no device stands twice in one', async () => {
  await start()
  const client = aClient()
  const calls = items(600, 1).map((item) => client.signAssignments([item]))
  const again = items(600, 2).map((item) => client.signAssignments([item]))
  const results = (await Promise.all([...calls, ...again])).flat()
  expect(results.map(codeOf)).toEqual(Array(1200).fill('signed'))
  expect(results.slice(0, 600).map((result) => result.device)).toEqual(items(600, 1).map((item) => item.device))
  const { log } = await client.status()
  expect(log.entryCount).toBeLessThanOrEqual(6)
})

test(
  'a full disk refuses and signs nothing, and the log stays whole',
  { skip: process.platform === 'win32' },
  async () => {
    // 16 blocks of 512 or 1024 bytes: enough for the first lines, not for a batch of a hundred.
    const { child } = await start([], 'ulimit -f 16; exec "$0" "$@"')
    const client = aClient()
    const first = await client.signAssignments(items(3, 1))
    const refused = await client.signAssignments(items(200, 2))
    expect(refused.map(codeOf)).toEqual(Array(200).fill('log-unwritable'))
    const third = await client.signAssignments(items(3, 2))
    expect(third.map(codeOf)).toEqual(['signed', 'signed', 'signed'])
    await end(child, 'SIGKILL')
    expectIntactLog([...first, ...third])
  },
)

test.each<[string, string, string]>([
  ['no JSON', 'hello', 'bad-request'],
  ['another question', JSON.stringify({ id: 4, type: 'sign', bytes: 'ff' }), 'bad-request'],
  ['more than a batch', JSON.stringify({ id: 4, type: 'signAssignments', items: items(501, 1) }), 'bad-request'],
  ['a field nobody agreed on', JSON.stringify({ id: 4, type: 'status', root: true }), 'bad-request'],
])('%s is refused and the signer goes on', async (_name, line, code) => {
  await start()
  expect(await askRaw(line)).toMatchObject({ refusal: { code } })
  expect((await aClient().status()).deviceCount).toBe(0)
})

test('an item of another form is refused alone, whoever shares its batch', async () => {
  await start()
  const client = aClient()
  const good = client.signAssignments(items(1, 1))
  const bad = client.signAssignments(
    items(2, 1)
      .slice(1)
      .map((item) => ({ ...item, expires: 'never' })),
  )
  expect((await good).map(codeOf)).toEqual(['signed'])
  expect(await bad).toMatchObject([{ refusal: { code: 'bad-request', message: expect.stringContaining('expires') } }])
})

test('bytes are never signed', async () => {
  await start()
  const answer = await askRaw(JSON.stringify({ id: 4, type: 'signAssignments', items: ['ff'.repeat(32), null] }))
  const refused = { device: '', refusal: { code: 'bad-request' } }
  expect(answer).toMatchObject({ id: 4, results: [refused, refused] })
})

test('a device twice in one batch is signed once', async () => {
  await start()
  const both = [...items(1, 1), ...items(1, 2)]
  const answer = await askRaw(JSON.stringify({ id: 4, type: 'signAssignments', items: both }))
  expect((answer as { results: SignResult[] }).results.map(codeOf)).toEqual(['signed', 'device-twice'])
})

test('without a signer a request fails in time with a sentence', async () => {
  const client = connectSigner(socketPath, { timeoutMs: 300 })
  clients.push(client)
  await expect(client.signAssignments(items(1, 1))).rejects.toThrow('no answer in time')
})

test('the server’s runner starts it again after a kill and takes it along at the end', async () => {
  const lines: string[] = []
  const dataFolder = join(data, 'a folder whose path is longer than the address of a socket may be '.repeat(2))
  mkdirSync(dataFolder)
  let pid: number
  let place: string
  {
    await using signer = await startSigner({ dataFolder, log: (line) => lines.push(line) })
    place = signer.socketPath
    expect(Buffer.byteLength(place)).toBeLessThanOrEqual(107)
    await using client = connectSigner(place)
    const [before] = await client.signAssignments(items(1, 1))
    expect(before && isGenuine(before, signer.directorKey)).toBe(true)
    await expect(startSigner({ dataFolder, log: () => undefined, patienceMs: 0 })).rejects.toThrow('already works')

    pid = pidOfLock(dataFolder)
    process.kill(pid, 'SIGKILL')
    const [after] = await client.signAssignments(items(1, 2))
    expect(after && isGenuine(after, signer.directorKey)).toBe(true)
    expect(lines.join('\n')).toContain('started again')
    pid = pidOfLock(dataFolder)
  }
  expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  expect(existsSync(place)).toBe(false)
})

interface Started {
  readonly child: ChildProcess
  readonly directorKey: TufKey
}

async function start(more: readonly string[] = [], shell?: string, folder = data): Promise<Started> {
  const child = spawnSigner(socketPath, more, shell, folder)
  if (!child.stdout) throw new Error('the signer has an output')
  const line = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), gone(child)])
  if (!line) throw new Error(`the signer ended at its start: ${String(child.stderr?.read())}`)
  return { child, directorKey: (JSON.parse(String(line[0])) as Started).directorKey }
}

/** A signer that kills itself before the given durable call, having written half of what that call should write. */
async function runKilledAt(folder: string, call: number) {
  const args = ['--import', killer, program, '--data', folder, '--socket', socketPath]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'], env: { KILL_AT: String(call) } })
  children.push(child)
  const exit = gone(child)
  const ready = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), exit])
  const answered: SignResult[] = []
  const client = connectSigner(socketPath)
  for (const generation of ready ? [1, 2] : []) {
    const asking = client.signAssignments(items(20, generation)).catch((): SignResult[] => [])
    void exit.then(() => client[Symbol.asyncDispose]())
    answered.push(...(await asking))
  }
  child.kill('SIGTERM')
  await exit
  await client[Symbol.asyncDispose]()
  const directorKey = ready ? (JSON.parse(String(ready[0])) as Started).directorKey : undefined
  return { isKilled: child.signalCode === 'SIGKILL', answered, directorKey }
}

function spawnSigner(socket: string, more: readonly string[] = [], shell?: string, folder = data): ChildProcess {
  const args = [program, '--data', folder, '--socket', socket, ...more]
  const [command, all] = shell ? ['sh', ['-c', shell, process.execPath, ...args]] : [process.execPath, args]
  const child = spawn(command, all, { stdio: ['pipe', 'pipe', 'pipe'] })
  children.push(child)
  return child
}

async function refusedStart(socket = socketPath): Promise<{ code: number | null; said: string }> {
  const child = spawnSigner(socket)
  const said: string[] = []
  child.stderr?.on('data', (chunk: Buffer) => said.push(chunk.toString()))
  await once(child, 'close')
  return { code: child.exitCode, said: said.join('') }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  child.kill(signal)
  await gone(child)
  return child.exitCode
}

async function gone(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

function aClient(): SignerClient {
  const client = connectSigner(socketPath)
  clients.push(client)
  return client
}

/** Asks over the socket itself, as a program that is not ours could. */
async function askRaw(line: string): Promise<unknown> {
  const socket = connect(socketPath)
  socket.write(`${line}\n`)
  const [answer] = (await once(createInterface({ input: socket }), 'line')) as [string]
  socket.destroy()
  return JSON.parse(answer)
}

/** Lets the event loop turn, so that each round kills at another moment of the batch. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count * count; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

function items(count: number, generation: number): SignItem[] {
  return Array.from({ length: count }, (_none, n) => ({
    device: sha256Hex(`device ${n}`),
    generation,
    expires,
    targets: [
      {
        path: 'point-of-sale/normal/4.2.0.json',
        lengthBytes: 900,
        sha256: 'a'.repeat(64),
        custom: {
          job: String(n + 1),
          action: 'install',
          release: '4.2.0',
          productLine: 'point-of-sale',
          rollout: 3,
          phase: 1,
          verifyLevel: 4,
          activation: 'current',
          attributes: { site: 'leeds', roles: ['sales'] },
        },
      },
    ],
  }))
}

/** The chain holds, no generation falls or repeats, and everything that was answered stands in it. */
function expectIntactLog(answered: readonly SignResult[], folder = data): void {
  const lines = new Set<string>()
  const last = new Map<string, { generation: number; sha256: string }>()
  readSignerLog(join(folder, 'signer/log.jsonl'), emptyLogHead, (entry) => {
    rememberEntry(last, entry)
    if (entry.kind === 'signed') for (const line of entry.signed) lines.add(keyOf(line))
  })
  const missing = answered.map(assignmentOf).filter(({ signed }) => {
    const sha256 = sha256Hex(canonicalJson(signed))
    return !lines.has(keyOf([signed['x-device'], signed.version, signed.expires, sha256]))
  })
  expect(missing).toEqual([])
}

function keyOf(line: SignedLine): string {
  return line.join(' ')
}

function assignmentOf(result: SignResult) {
  if ('assignment' in result) return result.assignment
  throw new Error(`${result.refusal.code}: ${result.refusal.message}`)
}

function isGenuine(result: SignResult, directorKey: TufKey): boolean {
  const expected = { directorKey, device: result.device, lastGeneration: 0, now: Temporal.Now.instant() }
  return verifyAssignment(assignmentOf(result), expected).ok
}

function codeOf(result: SignResult): string {
  return 'refusal' in result ? result.refusal.code : 'signed'
}

function logPath(): string {
  return join(data, 'signer/log.jsonl')
}

function modeOf(path: string): string {
  return (statSync(join(data, path)).mode & 0o777).toString(8)
}

function pidOfLock(folder: string): number {
  return (JSON.parse(readFileSync(join(folder, 'signer/bascule.lock'), 'utf8')) as { pid: number }).pid
}
