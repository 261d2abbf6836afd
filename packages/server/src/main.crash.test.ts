import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'

const main = fileURLToPath(new URL('main.ts', import.meta.url))

function aDataFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'main-'))
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  return folder
}

function start(dataFolder: string, env: Record<string, string> = {}): ChildProcess {
  const args = [main, '--data', dataFolder, '--port', '0', '--ready-json']
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('BASCULE_')))
  const child = spawn(process.execPath, args, {
    env: { ...own, BASCULE_LOG_LEVEL: 'error', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  return child
}

interface Ready {
  readonly url: string
  readonly welcome?: string
}

async function ready(child: ChildProcess): Promise<Ready> {
  if (child.stdout === null) throw new Error('the server has no output')
  for await (const line of createInterface({ input: child.stdout })) {
    return JSON.parse(line) as Ready
  }
  throw new Error('the server ended before it was ready')
}

async function stop(child: ChildProcess): Promise<number | null> {
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  const [code] = (await exit) as [number | null]
  return code
}

test('a server starts from nothing, makes its first administrator, stops at once and goes on where it was', async () => {
  const dataFolder = aDataFolder()
  const first = start(dataFolder)
  const { url, welcome = '' } = await ready(first)
  expect((await fetch(`${url}/readyz`)).status).toBe(200)
  const code = new URL(welcome).searchParams.get('code')
  const claimed = await post(`${url}/api/platform/welcome`, {
    code,
    name: 'Ada',
    email: 'ada@example.org',
    password: 'correct horse',
  })
  expect(claimed.status).toBe(201)
  const stream = await signedInStream(url)
  const begun = performance.now()
  expect(await stop(first)).toBe(0)
  expect(performance.now() - begun).toBeLessThan(10_000)
  // The browser that was listening was told the end and was not cut off.
  expect(await stream.text()).toContain('event: hello')

  const again = start(dataFolder)
  const after = await ready(again)
  expect(after.welcome).toBeUndefined()
  expect((await signIn(after.url)).status).toBe(200)
  expect(await stop(again)).toBe(0)
})

async function post(url: string, body: object): Promise<Response> {
  const headers = { 'content-type': 'application/json', origin: new URL(url).origin }
  return await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
}

async function signIn(url: string): Promise<Response> {
  return await post(`${url}/api/auth/sign-in/email`, { email: 'ada@example.org', password: 'correct horse' })
}

async function signedInStream(url: string): Promise<Response> {
  const cookie = (await signIn(url)).headers
    .getSetCookie()
    .map((each) => each.split(';')[0])
    .join('; ')
  return await fetch(`${url}/api/events`, { headers: { cookie } })
}

test('a second server on the same data folder refuses with a sentence, and the first goes on', async () => {
  const dataFolder = aDataFolder()
  const first = start(dataFolder)
  const { url } = await ready(first)
  const second = start(dataFolder)
  const said = second.stderr === null ? '' : text(second.stderr)
  const [code] = (await once(second, 'exit')) as [number | null]
  expect(code).not.toBe(0)
  expect(await said).toMatch(/data folder/i)
  expect((await fetch(`${url}/livez`)).status).toBe(200)
  expect(await stop(first)).toBe(0)
})

test('after kill -9 the next start works on what was committed', async () => {
  const dataFolder = aDataFolder()
  const first = start(dataFolder)
  const { url, welcome = '' } = await ready(first)
  const code = new URL(welcome).searchParams.get('code')
  await post(`${url}/api/platform/welcome`, { code, name: 'Ada', email: 'ada@example.org', password: 'correct horse' })
  const gone = once(first, 'exit')
  first.kill('SIGKILL')
  await gone
  const second = start(dataFolder)
  const after = await ready(second)
  expect((await signIn(after.url)).status).toBe(200)
  expect(await stop(second)).toBe(0)
})

test('a server with a wrong configuration names every problem and does not start', async () => {
  const child = start(aDataFolder(), { BASCULE_TLS_CERT: 'cert.pem', BASCULE_METRICS_PORT: 'many' })
  const said = child.stderr === null ? '' : text(child.stderr)
  const [code] = (await once(child, 'exit')) as [number | null]
  expect(code).toBe(2)
  expect(await said).toMatch(/BASCULE_METRICS_PORT[\s\S]*BASCULE_TLS_KEY|BASCULE_TLS_KEY[\s\S]*BASCULE_METRICS_PORT/)
})
