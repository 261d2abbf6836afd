import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

const main = fileURLToPath(new URL('main.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'cli-'))
const data = join(folder, 'data')
let server: ChildProcess
let environment: Record<string, string>

function bascule(args: readonly string[], env: Record<string, string> = {}): ChildProcess {
  const own = { PATH: process.env['PATH'], BASCULE_LOG_LEVEL: 'error' }
  return spawn(process.execPath, [main, ...args], { env: { ...own, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
}

async function outcomeOf(args: readonly string[], env: Record<string, string> = environment) {
  const child = bascule(args, env)
  if (child.stdout === null || child.stderr === null) throw new Error('the command has no output')
  const [out, err, [exitCode]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return { out, err, exitCode: exitCode as number, json: () => JSON.parse(out) as unknown }
}

beforeAll(async () => {
  server = bascule(['start', '--data', data, '--port', '0'])
  const welcome = await welcomeLink(server)
  const url = welcome.origin
  const person = { name: 'Ada', email: 'ada@example.org', password: 'correct horse' }
  await post(`${url}/api/platform/welcome`, {}, { code: welcome.searchParams.get('code'), ...person })
  const signedIn = await post(`${url}/api/auth/sign-in/email`, {}, person)
  const cookie = signedIn.headers
    .getSetCookie()
    .map((each) => each.split(';')[0])
    .join('; ')
  const made = await post(`${url}/api/platform/api-keys`, { cookie }, { name: 'cli', role: 'operations' })
  const { key } = (await made.json()) as { key: string }
  environment = { BASCULE_SERVER: url, BASCULE_API_KEY: key }
}, 120_000)

afterAll(async () => {
  if (server.exitCode === null && server.signalCode === null) {
    const exit = once(server, 'exit')
    server.kill('SIGTERM')
    await exit
  }
  rmSync(folder, { recursive: true, force: true })
})

async function welcomeLink(child: ChildProcess): Promise<URL> {
  if (child.stdout === null) throw new Error('the server has no output')
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('http')) return new URL(line)
  }
  throw new Error('the server ended before it was ready')
}

async function post(url: string, headers: Record<string, string>, body: object): Promise<Response> {
  const own = { 'content-type': 'application/json', origin: new URL(url).origin }
  const reply = await fetch(url, { method: 'POST', headers: { ...own, ...headers }, body: JSON.stringify(body) })
  if (!reply.ok) throw new Error(`${url}: ${reply.status} ${await reply.text()}`)
  return reply
}

test('devices are let in with a token that the command line makes', async () => {
  const made = await outcomeOf(['device', 'token', '--uses', '3', '--approve', '--json'])
  expect(made).toMatchObject({ err: '', exitCode: 0 })
  expect(made.json()).toMatchObject({ usesMax: 3, autoApprove: true, token: expect.any(String) as string })
  expect(await outcomeOf(['device', 'list'])).toMatchObject({ out: 'No device matches.\n', exitCode: 0 })
  expect((await outcomeOf(['device', 'approve', 'state:pending', '--json'])).json()).toEqual({
    changed: 0,
    unchanged: 0,
  })
})

test('releases are listed, and what the server refuses is exit code 4 with its sentence', async () => {
  expect((await outcomeOf(['release', 'list', '--json'])).json()).toEqual({ items: [] })
  const unknown = await outcomeOf(['rollout', 'watch', 'REL-0009', '--json'])
  expect(unknown).toMatchObject({ exitCode: 4, err: expect.stringMatching(/./) as string })
  expect(unknown.json()).toMatchObject({ error: { kind: 'not-found' } })
  const wrong = await outcomeOf(['device', 'list', '--query', '(((', '--json'])
  expect(wrong).toMatchObject({ exitCode: 4 })
  const stranger = await outcomeOf(['release', 'list'], { ...environment, BASCULE_API_KEY: 'nonsense' })
  expect(stranger).toMatchObject({ exitCode: 4, err: 'Sign in first. Set BASCULE_API_KEY.\n' })
  expect(await outcomeOf(['release', 'show', 'REL1'])).toMatchObject({ exitCode: 2 })
  const away = await outcomeOf(['release', 'list'], { BASCULE_SERVER: 'http://127.0.0.1:9' })
  expect(away).toMatchObject({ exitCode: 5, err: expect.stringContaining('127.0.0.1:9') as string })
})

test('a doctor sees the running server, a backup is taken beside it, and a restore makes a folder of its own', async () => {
  const { port } = new URL(environment['BASCULE_SERVER'] ?? '')
  const report = (await outcomeOf(['doctor', '--data', data, '--port', port, '--json'])).json() as Doctor
  const seen = Object.fromEntries(report.findings.map(({ what, sentence }) => [what, sentence]))
  expect(seen['port']).toContain('a server works on this data folder')
  expect(seen['signer']).toContain('The signer answers')
  expect(seen['migrations']).toContain('The schema is the one of this server')

  const to = join(folder, 'backup')
  const saved = await outcomeOf(['backup', '--data', data, '--to', to])
  expect(saved).toMatchObject({ err: '', exitCode: 0 })
  const again = await outcomeOf(['backup', '--data', data, '--to', to])
  expect(again).toMatchObject({ exitCode: 1, err: expect.stringContaining('is not empty') as string })
  const restored = await outcomeOf(['restore', '--from', to, '--data', join(folder, 'restored')])
  expect(restored).toMatchObject({ err: '', exitCode: 0 })
  expect(existsSync(join(folder, 'restored', 'pg18', 'PG_VERSION'))).toBe(true)
})

interface Doctor {
  readonly findings: readonly { readonly what: string; readonly sentence: string }[]
}

test('start ends in order when it is told to, with the server', async () => {
  const exit = once(server, 'exit')
  server.kill('SIGTERM')
  expect(await exit).toEqual([0, null])
  expect(await outcomeOf(['device', 'list'])).toMatchObject({ exitCode: 5 })
})
