import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { toolFiles, writeFiles } from '@bascule/testkit/content/package-folder.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'

const main = fileURLToPath(new URL('main.ts', import.meta.url))
const simulator = fileURLToPath(new URL('../../simulator/src/main.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'cli-'))
const data = join(folder, 'data')
let server: ChildProcess
let environment: Record<string, string>
let managerKey: string

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
  await post(
    `${url}/api/platform/welcome`,
    {},
    {
      code: welcome.searchParams.get('code'),
      ...person,
      roles: ['release-manager', 'configuration-manager', 'board-member'],
    },
  )
  const signedIn = await post(`${url}/api/auth/sign-in/email`, {}, person)
  const cookie = signedIn.headers
    .getSetCookie()
    .map((each) => each.split(';')[0])
    .join('; ')
  const keyFor = async (role: string): Promise<string> => {
    const made = await post(`${url}/api/platform/api-keys`, { cookie }, { name: role, role })
    return ((await made.json()) as { key: string }).key
  }
  managerKey = await keyFor('release-manager')
  const key = await keyFor('operations')
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
  expect(stranger).toMatchObject({
    exitCode: 4,
    err: 'Sign in first. People: bascule sign-in. Machines: BASCULE_API_KEY.\n',
  })
  expect(await outcomeOf(['release', 'show', 'REL1'])).toMatchObject({ exitCode: 2 })
  const away = await outcomeOf(['release', 'list'], { BASCULE_SERVER: 'http://127.0.0.1:9' })
  expect(away).toMatchObject({ exitCode: 5, err: expect.stringContaining('127.0.0.1:9') as string })
})

/** A release for ten simulated devices that are here already; answers its id. The rollout has not begun. */
async function aRelease(): Promise<string> {
  const url = environment['BASCULE_SERVER'] ?? ''
  const key = { authorization: `Bearer ${managerKey}` }
  await post(`${url}/api/estate/product-lines`, key, { code: 'tools', name: 'Tools' })
  const tool = join(folder, 'tool')
  await writeFiles(tool, toolFiles)
  const pushed = await outcomeOf(['push', tool], {
    ...environment,
    BASCULE_API_KEY: managerKey,
    XDG_STATE_HOME: folder,
  })
  expect(pushed).toMatchObject({ exitCode: 0 })
  const limits = { advanceAtPermille: 1000, inFlightMax: 10, soakSeconds: 0 }
  const made = await post(`${url}/api/releases`, key, {
    title: 'Tool',
    version: '1.2.0',
    productLine: 'tools',
    packages: [{ name: 'tool', version: '1.2.0' }],
    audience: { query: 'os:linux', mode: 'frozen' },
    phases: [
      { name: 'Pilot', query: 'sample:50%', ...limits },
      { name: 'Everybody', ...limits },
    ],
  })
  const { releaseId } = (await made.json()) as { releaseId: string }
  await letOut(releaseId)
  return releaseId
}

/** Ada is the board: she founds it, is asked, and signs. */
async function letOut(releaseId: string): Promise<void> {
  const password = join(folder, 'password')
  writeFileSync(password, 'correct horse\n', { mode: 0o600 })
  const own = { BASCULE_HOME: join(folder, 'home'), BASCULE_PASSPHRASE: 'four quite ordinary words' }
  const ada = { ...own, BASCULE_SERVER: environment['BASCULE_SERVER'] ?? '' }
  const run = async (...args: string[]): Promise<Awaited<ReturnType<typeof outcomeOf>>> => {
    const outcome = await outcomeOf(args, ada)
    expect(outcome, outcome.err).toMatchObject({ exitCode: 0 })
    return outcome
  }
  await run('sign-in', '--email', 'ada@example.org', '--password-file', password)
  await run('key', 'make')
  await run('trust', 'init', '--yes')
  const { caseId } = (await run('release', 'ask-board', releaseId, '--json')).json() as { caseId: string }
  await run('sign', caseId, '--yes')
}

/** Ten devices in a process of their own until it is disposed; the same ones each time. */
async function tenDevices(token: string): Promise<AsyncDisposable> {
  const url = (environment['BASCULE_SERVER'] ?? '').replace('localhost', '127.0.0.1')
  const ways = ['--interval', '10', '--speed', '50', '--spread', '10', '--faults', 'none', '--package-mb', '1']
  const devices = ['--server', url, '--token', token, '--devices', '10', ...ways]
  const fleet = spawn(process.execPath, [simulator, ...devices], { stdio: ['ignore', 'ignore', 'inherit'] })
  const headers = { authorization: `Bearer ${environment['BASCULE_API_KEY']}` }
  const linux = async () =>
    ((await (await fetch(`${url}/api/devices/count?query=os:linux`, { headers })).json()) as { active: number }).active
  await expect.poll(linux, { timeout: 60_000 }).toBe(10)
  return {
    async [Symbol.asyncDispose]() {
      const gone = once(fleet, 'exit')
      fleet.kill('SIGTERM')
      await gone
    },
  }
}

test('a release is started, paused, resumed, watched to its real end and taken back from the command line', async () => {
  const made = await outcomeOf(['device', 'token', '--uses', '10', '--approve', '--json'])
  const { token } = made.json() as { token: string }
  // They enrol and go, so that nothing happens while the rollout is paused.
  await (await tenDevices(token))[Symbol.asyncDispose]()
  const release = await aRelease()
  const json = async (...args: string[]) => {
    const { exitCode, out } = await outcomeOf(['release', ...args, '--json'])
    return { exitCode, said: JSON.parse(out.trim().split('\n').at(-1) ?? '') as unknown }
  }
  expect(await json('start', release)).toEqual({ exitCode: 0, said: { releaseId: release } })
  expect(await json('pause', release, '--reason', 'lunch')).toMatchObject({ exitCode: 0 })
  expect(await json('pause', release)).toMatchObject({ exitCode: 4, said: { error: { kind: 'rollout-state' } } })
  expect(await json('watch', release, '--timeout-seconds', '0.1', '--every-seconds', '0.1')).toMatchObject({
    exitCode: 5,
  })
  expect(await json('resume', release, '--reason', 'on')).toMatchObject({ exitCode: 0 })

  await using _fleet = await tenDevices(token)
  const watched = await outcomeOf(['release', 'watch', release, '--json', '--every-seconds', '0.2'])
  expect(watched).toMatchObject({ exitCode: 0, err: '' })
  const documents = watched.out.trim().split('\n')
  expect(JSON.parse(documents.at(-1) ?? '')).toMatchObject({ state: 'completed', audience: 10, verified: 10 })
  const { said } = await json('phases', release)
  expect(said).toMatchObject({ phases: [{ state: 'succeeded' }, { state: 'succeeded' }] })
  const inWords = await outcomeOf(['release', 'phases', release])
  expect(inWords.out).toMatch(/^Phase 1 Pilot .+ succeeded\n {2}\d+ may fail, 10 at a time, 0 may go quiet\./)

  const preview = await outcomeOf(['release', 'back-out', release, '--reason', 'bad'])
  expect(preview).toMatchObject({ exitCode: 4, err: expect.stringContaining('--confirm "Tool"') as string })
  expect(preview.out).toContain('10 devices')
  expect(await json('back-out', release, '--reason', 'bad', '--confirm', 'Wrong')).toMatchObject({
    exitCode: 4,
    said: { error: { kind: 'not-confirmed' } },
  })
  expect(await json('back-out', release, '--reason', 'bad', '--confirm', 'Tool')).toMatchObject({ exitCode: 0 })
  const after = await outcomeOf(['release', 'watch', release, '--every-seconds', '0.2'])
  expect(after).toMatchObject({ exitCode: 4, err: expect.stringMatching(/back(?:ing|ed) out/) as string })
}, 180_000)

test('a key is taken from a file, and one on the command line is warned of', async () => {
  const server = { BASCULE_SERVER: environment['BASCULE_SERVER'] ?? '' }
  const file = join(folder, 'key')
  writeFileSync(file, `${environment['BASCULE_API_KEY']}\n`, { mode: 0o600 })
  expect(await outcomeOf(['release', 'list', '--api-key-file', file], server)).toMatchObject({ exitCode: 0, err: '' })
  const named = { ...server, BASCULE_API_KEY_FILE: file }
  expect(await outcomeOf(['release', 'list'], named)).toMatchObject({ exitCode: 0, err: '' })
  const typed = await outcomeOf(['release', 'list', '--api-key', environment['BASCULE_API_KEY'] ?? ''], server)
  expect(typed).toMatchObject({
    exitCode: 0,
    err: expect.stringContaining('Warning: others on this machine') as string,
  })
  const missing = await outcomeOf(['release', 'list', '--api-key-file', join(folder, 'none')], server)
  expect(missing).toMatchObject({ exitCode: 2, err: expect.stringContaining('cannot be read') as string })
  writeFileSync(file, '\n')
  const empty = await outcomeOf(['release', 'list', '--api-key-file', file], server)
  expect(empty).toMatchObject({ exitCode: 2, err: expect.stringContaining('is empty') as string })
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
