import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess, SpawnOptions } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import { Client } from 'pg'
import { afterAll, afterEach, expect, test } from 'vitest'

import { locateBinaries } from './binaries.ts'
import { startEmbeddedPostgres } from './embedded-postgres.ts'
import { lookAtProcess } from './processes.ts'

const isRoot = process.geteuid?.() === 0
const isLinux = process.platform === 'linux'
const nobody = { uid: 65_534, gid: 65_534 }
const program = fileURLToPath(new URL('embedded-postgres.child.ts', import.meta.url))

const folders: string[] = []
const children: ChildProcess[] = []
const postmasters: number[] = []

/** A killed program leaves its socket folder behind for the next start to remove; here there may be no next one. */
const runtimeFolder = mkdtempSync(join(tmpdir(), 'bascule-run-'))
chmodSync(runtimeFolder, 0o1777)
process.env['XDG_RUNTIME_DIR'] = runtimeFolder
afterAll(() => rmSync(runtimeFolder, { recursive: true, force: true }))

afterEach(async () => {
  for (const child of children.splice(0)) await end(child, 'SIGKILL')
  for (const pid of postmasters.splice(0)) await isGone(pid)
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** Closed for everybody else, deep, and with a space: as a home folder may be. */
function aDataFolder(): string {
  const home = mkdtempSync(join(tmpdir(), 'bascule crash '))
  folders.push(home)
  return join(home, 'a folder whose path is longer than what fits into the address of a socket'.repeat(2), 'data')
}

interface Holder {
  readonly child: ChildProcess
  next(): Promise<Record<string, unknown>>
}

function startProgram(dataFolder: string, options: SpawnOptions = {}): Holder {
  const child = spawn(process.execPath, [program, dataFolder], {
    detached: true,
    ...options,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    child,
    async next() {
      const line = await lines.next()
      const fact = line.done === true ? {} : (JSON.parse(line.value) as Record<string, unknown>)
      if (typeof fact['pid'] === 'number') postmasters.push(fact['pid'])
      return fact
    },
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill(signal)
  await once(child, 'exit')
}

async function ask(address: object, sql: string): Promise<unknown> {
  const client = new Client(address)
  await client.connect()
  try {
    const { rows } = await client.query<Record<string, unknown>>(sql)
    return rows[0]
  } finally {
    await client.end()
  }
}

async function isGone(pid: number): Promise<boolean> {
  while (lookAtProcess(pid)) await new Promise((resolve) => setTimeout(resolve, 10))
  return true
}

test('what was committed is there at the next start, and nothing is left running or lying about', async () => {
  const dataFolder = aDataFolder()
  let socketFolder = ''
  {
    await using pg = await startEmbeddedPostgres({ dataFolder })
    socketFolder = pg.socketFolder
    await ask(pg.address, 'create table kept as select 7 as n')
    expect(pg.version).toMatch(/^18\.\d+$/)
    expect(await ask(pg.address, 'show listen_addresses')).toEqual({ listen_addresses: '' })
    expect(await ask(pg.address, 'show synchronous_commit')).toEqual({ synchronous_commit: 'on' })
    expect(statSync(socketFolder).mode & 0o077).toBe(0)
  }
  expect(readdirSync(dataFolder)).toEqual(['pg18'])
  expect(existsSync(socketFolder)).toBe(false)
  await using again = await startEmbeddedPostgres({ dataFolder })
  expect(await ask({ connectionString: again.connectionString }, 'select n from kept')).toEqual({ n: 7 })
})

test('kill -9 of the program ends PostgreSQL by itself, and the next start works', async () => {
  const dataFolder = aDataFolder()
  const holder = startProgram(dataFolder)
  const { pid } = await holder.next()
  await end(holder.child, 'SIGKILL')
  expect(await isGone(Number(pid))).toBe(true)
  await using pg = await startEmbeddedPostgres({ dataFolder })
  expect(await ask(pg.address, 'select 1 as one')).toEqual({ one: 1 })
})

test('a second start on the same data folder is refused with a sentence while the first lives', async () => {
  const dataFolder = aDataFolder()
  const first = startProgram(dataFolder)
  const { pid } = await first.next()
  const second = startProgram(dataFolder)
  expect(await second.next()).toMatchObject({
    refused: 'data-folder-in-use',
    sentence: expect.stringContaining(`process ${first.child.pid}`) as string,
  })
  expect(lookAtProcess(Number(pid))?.name).toBe('postgres')
})

test('of many starts at once on a folder whose holder was killed exactly one wins', async () => {
  const dataFolder = aDataFolder()
  const dead = startProgram(dataFolder)
  await dead.next()
  await end(dead.child, 'SIGKILL')
  const said = await Promise.all(Array.from({ length: 4 }, () => startProgram(dataFolder).next()))
  expect(said.filter((each) => each['pid'] !== undefined)).toHaveLength(1)
  expect(said.filter((each) => each['refused'] === 'data-folder-in-use')).toHaveLength(3)
})

test('Ctrl-C reaches only the program: the database still answers while it closes its connections', async () => {
  const holder = startProgram(aDataFolder())
  const { pid } = await holder.next()
  process.kill(-(holder.child.pid ?? 0), 'SIGINT')
  expect(await holder.next()).toEqual({ answeredAfterSignal: 42 })
  expect(await isGone(Number(pid))).toBe(true)
})

test.skipIf(!isLinux)(
  'a postmaster that outlived program and watchdog is stopped before the next one starts',
  async () => {
    const dataFolder = aDataFolder()
    const holder = startProgram(dataFolder)
    const pid = Number((await holder.next())['pid'])
    const shell = parentOf(pid)
    for (const each of [...childrenOf(shell).filter((child) => child !== pid), shell]) process.kill(each, 'SIGKILL')
    await end(holder.child, 'SIGKILL')
    expect(lookAtProcess(pid)?.name).toBe('postgres')

    const log: string[] = []
    await using pg = await startEmbeddedPostgres({ dataFolder, log: (line) => void log.push(line) })
    expect(log[0]).toContain(`process ${pid}`)
    expect(lookAtProcess(pid)).toBeUndefined()
    expect(await ask(pg.address, 'select 1 as one')).toEqual({ one: 1 })
  },
)

test('a lock file that names a living process of somebody else does not block the start', async () => {
  const dataFolder = aDataFolder()
  const file = join(dataFolder, 'pg18', 'postmaster.pid')
  let text = ''
  {
    await using pg = await startEmbeddedPostgres({ dataFolder })
    text = readFileSync(file, 'utf8').replace(String(pg.pid), String(process.pid))
  }
  writeFileSync(file, text)
  await using again = await startEmbeddedPostgres({ dataFolder })
  expect(await ask(again.address, 'select 1 as one')).toEqual({ one: 1 })
})

test('the end of PostgreSQL is told to the program, and a start after it works', async () => {
  const dataFolder = aDataFolder()
  {
    await using pg = await startEmbeddedPostgres({ dataFolder })
    process.kill(pg.pid, 'SIGKILL')
    expect(await pg.ended).toBe('exit code 137')
  }
  await using again = await startEmbeddedPostgres({ dataFolder })
  expect(await ask(again.address, 'select 1 as one')).toEqual({ one: 1 })
})

test.skipIf(!isRoot)('as root the files stay root’s and the process is not user 0 to PostgreSQL', async () => {
  const dataFolder = aDataFolder()
  await using pg = await startEmbeddedPostgres({ dataFolder })
  expect(statSync(join(dataFolder, 'pg18')).uid).toBe(0)
  expect(await ask(pg.address, 'select current_user as name')).toEqual({ name: 'bascule' })
})

const canBecomeNobody =
  isRoot && spawnSync(locateBinaries().postgres, ['--version'], { ...nobody, cwd: '/' }).status === 0

test.skipIf(!canBecomeNobody)('where root may not make a namespace, another account runs PostgreSQL', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bascule-crash-'))
  folders.push(folder)
  chmodSync(folder, 0o755)
  writeFileSync(join(folder, 'unshare'), '#!/bin/sh\nexit 1\n', { mode: 0o755 })
  const env = { ...process.env, PATH: `${folder}:${process.env['PATH']}` }
  const holder = startProgram(join(folder, 'data'), { env })
  const { pid } = await holder.next()
  expect(statSync(`/proc/${String(pid)}`).uid).not.toBe(0)

  chmodSync(folder, 0o700)
  const refused = startProgram(join(folder, 'closed', 'data'), { env })
  expect(await refused.next()).toMatchObject({ refused: 'no-account-for-postgres' })
})

test.skipIf(!canBecomeNobody)('an ordinary user starts, is killed, and starts again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bascule-crash-'))
  folders.push(folder)
  chownSync(folder, nobody.uid, nobody.gid)
  const first = startProgram(folder, nobody)
  const { pid } = await first.next()
  await end(first.child, 'SIGKILL')
  const second = startProgram(folder, nobody)
  expect(await second.next()).toMatchObject({ pid: expect.any(Number) as number })
  expect(await isGone(Number(pid))).toBe(true)
})

function parentOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
}

function childrenOf(pid: number): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number)
}
