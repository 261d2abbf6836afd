import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { toolFiles, writeFiles } from '@bascule/testkit/content/package-folder.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Outcome, runBascule } from '#/testing/run-bascule.ts'

/** People with homes of their own, a real server, and the real command line between them. */
const main = fileURLToPath(new URL('../../main.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'sign-'))
/** Everything that was started, whether or not it came to be of use. */
const servers: ChildProcess[] = []
const passphrase = 'four quite ordinary words'

interface Installation {
  readonly url: string
  /** A person who is signed in, with a key of her own. */
  person(name: string, roles: readonly string[]): Promise<Person>
  /** A planned release that one person could ask the board about. */
  plan(line: string): Promise<string>
}

interface Person {
  readonly home: string
  readonly publicKey: string
  readonly keyId: string
  run(...args: string[]): Promise<Outcome>
}

async function post(url: string, headers: Record<string, string>, body: object): Promise<Response> {
  const own = { 'content-type': 'application/json', origin: new URL(url).origin }
  const reply = await fetch(url, { method: 'POST', headers: { ...own, ...headers }, body: JSON.stringify(body) })
  if (!reply.ok) throw new Error(`${url}: ${reply.status} ${await reply.text()}`)
  return reply
}

async function welcomeLink(child: ChildProcess): Promise<URL> {
  if (child.stdout === null) throw new Error('the server has no output')
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('http')) return new URL(line)
  }
  throw new Error('the server ended before it was ready')
}

const simulator = fileURLToPath(new URL('../../../../simulator/src/main.ts', import.meta.url))

/** A device that is known from then on; it goes as soon as it is there. */
async function enrolOne(url: string, { token }: { token: string }, cookie: string): Promise<void> {
  const device = [
    '--server',
    url.replace('localhost', '127.0.0.1'),
    '--token',
    token,
    '--devices',
    '1',
    '--interval',
    '10',
  ]
  const child = spawn(process.execPath, [simulator, ...device, '--faults', 'none'], { stdio: 'ignore' })
  servers.push(child)
  const count = async (): Promise<unknown> =>
    (
      (await (await fetch(`${url}/api/devices/count?query=os:linux`, { headers: { cookie } })).json()) as {
        active: number
      }
    ).active
  await expect.poll(count, { timeout: 60_000 }).toBe(1)
  await end(child)
}

async function install(name: string): Promise<Installation> {
  const env = { PATH: process.env['PATH'], BASCULE_LOG_LEVEL: 'error' }
  const data = join(folder, name)
  const server = spawn(process.execPath, [main, 'start', '--data', data, '--port', '0'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  servers.push(server)
  const welcome = await welcomeLink(server)
  const url = welcome.origin
  const admin = { name: 'Root', email: 'root@example.org', password: 'correct horse' }
  const roles = ['release-manager', 'configuration-manager']
  await post(`${url}/api/platform/welcome`, {}, { code: welcome.searchParams.get('code'), ...admin, roles })
  const signedIn = await post(`${url}/api/auth/sign-in/email`, {}, admin)
  const cookie = signedIn.headers
    .getSetCookie()
    .map((each) => each.split(';')[0])
    .join('; ')
  const api = async <Answer>(path: string, body: object): Promise<Answer> =>
    (await (await post(`${url}/api${path}`, { cookie }, body)).json()) as Answer
  let released = 0
  return {
    url,
    async person(name, roles) {
      const home = join(folder, `${name}-home-${new URL(url).port}`)
      const email = `${name.toLowerCase()}@example.org`
      const { id } = await api<{ id: string }>('/estate/people', { name, email })
      for (const role of roles) await api('/estate/role-grants', { personId: id, role })
      const { url: link } = await api<{ url: string }>('/platform/sign-in-links', { personId: id })
      const environment = { BASCULE_HOME: home, BASCULE_SERVER: url, BASCULE_PASSPHRASE: passphrase }
      const run = async (...args: string[]) => await runBascule(args, environment)
      expect(await run('sign-in', '--link', link)).toMatchObject({ exitCode: 0, err: '' })
      const made = await run('key', 'make', '--label', name, '--json')
      const { publicKey, keyId } = made.json() as { publicKey: string; keyId: string }
      const registered = await run('key', 'register')
      expect(registered).toMatchObject({ exitCode: 0, err: '' })
      return { home, publicKey, keyId, run }
    },
    async plan(line) {
      released += 1
      if (released === 1) {
        await api('/estate/product-lines', { code: line, name: line })
        await enrolOne(
          url,
          await api('/estate/enrolment-tokens', { label: '', usesMax: 1, validHours: 1, autoApprove: true }),
          cookie,
        )
      }
      const version = `1.${released}.0`
      const tool = join(folder, `tool-${new URL(url).port}-${released}`)
      const spec = toolFiles['bascule.yaml'] ?? ''
      await writeFiles(tool, { ...toolFiles, 'bascule.yaml': spec.replace('1.2.0', version) })
      const key = await api<{ key: string }>('/platform/api-keys', { name: `push ${released}`, role: 'pipeline' })
      const pushed = await runBascule(['push', tool], {
        BASCULE_SERVER: url,
        BASCULE_API_KEY: key.key,
        XDG_STATE_HOME: folder,
      })
      expect(pushed).toMatchObject({ exitCode: 0 })
      const { releaseId } = await api<{ releaseId: string }>('/releases', {
        title: `Tool ${version}`,
        version,
        productLine: line,
        packages: [{ name: 'tool', version }],
        audience: { query: 'os:linux', mode: 'dynamic' },
        phases: [{ name: 'Everybody' }],
      })
      return releaseId
    },
  }
}

async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  const exit = once(server, 'exit')
  server.kill('SIGTERM')
  await exit
}

let alone: Installation
let three: Installation

beforeAll(async () => {
  ;[alone, three] = await Promise.all([install('alone'), install('three')])
}, 180_000)

afterAll(async () => {
  await Promise.all(servers.map(end))
  rmSync(folder, { recursive: true, force: true })
})

/** The JSON of a command that has to succeed; what it said is in the failure otherwise. */
function answerOf(outcome: Outcome): unknown {
  expect(outcome, outcome.err).toMatchObject({ exitCode: 0 })
  return outcome.json()
}

const stateOf = (outcome: Outcome): string => (answerOf(outcome) as { draft: { state: string } }).draft.state

test('one person founds a board, asks it, signs, and the release may start; everything is exported and checked', async () => {
  const ada = await alone.person('Ada', ['administrator', 'board-member', 'release-manager'])
  const before = await ada.run('trust', 'status')
  expect(before).toMatchObject({ exitCode: 0, out: expect.stringContaining('There is no root yet') as string })
  const release = await alone.plan('tools')
  const early = await ada.run('release', 'ask-board', release)
  expect(early).toMatchObject({ exitCode: 4 })

  const held = await ada.run('trust', 'init', '--yes', '--json')
  expect(held.err).toContain('Signatures that this needs:')
  expect(held.exitCode).toBe(0)
  const founded = held.json() as { rootSha256: string; paperKey: string[]; sheet: string[]; draft: { state: string } }
  expect(founded).toMatchObject({ draft: { state: 'published' } })
  expect(founded.sheet.join('\n')).toMatch(/board of one/)
  expect((await ada.run('trust', 'init', '--yes')).err).toContain('has its root already')

  const asked = await ada.run('case', 'ask', release, '--json')
  const { caseId } = answerOf(asked) as { caseId: string }
  expect((await ada.run('sign')).out).toContain(caseId)
  const signed = await ada.run('sign', caseId, '--yes', '--json')
  expect(signed.err).toContain(`GO: ${release} (tools) may go out to the devices.`)
  expect(signed.err).not.toContain('TRUST ON FIRST USE')
  expect(stateOf(signed)).toBe('published')
  expect((await ada.run('case', 'list')).out).toMatch(new RegExp(`${caseId} +go `))
  expect(await ada.run('release', 'start', release)).toMatchObject({ exitCode: 0 })

  const out = join(folder, 'export')
  const exported = await ada.run('trust', 'export', out, '--root-sha256', founded.rootSha256, '--json')
  expect(exported.exitCode).toBe(0)
  const names = readdirSync(join(out, 'metadata'))
  expect(names).toEqual(expect.arrayContaining(['1.root.json', 'timestamp.json', '2.company.tools.json']))
  expect(readdirSync(join(out, 'targets', 'company', 'tools', 'normal'))).toHaveLength(1)
  expect(readFileSync(join(out, 'metadata', '1.root.json'), 'utf8')).toContain(ada.keyId)

  // The key is lost; the paper signs a fresh one in, and the old one counts no more.
  const lines = founded.paperKey.join('\n')
  const environment = { BASCULE_HOME: ada.home, BASCULE_SERVER: alone.url, BASCULE_PASSPHRASE: passphrase }
  const back = await runBascule(['key', 'make', '--from-paper', '--label', 'recovery'], environment, lines)
  expect(back).toMatchObject({ exitCode: 0, err: '' })
  const fresh = answerOf(await ada.run('key', 'make', '--label', 'Ada-2', '--json')) as { publicKey: string }
  const replaced = await ada.run(
    'trust',
    'replace-key',
    ada.keyId,
    `Ada=${fresh.publicKey}`,
    '--key',
    'recovery',
    '--yes',
    '--json',
  )
  expect(replaced).toMatchObject({ exitCode: 0 })
  expect(stateOf(replaced)).toBe('published')
  const next = await alone.plan('tools')
  const { caseId: second } = answerOf(await ada.run('case', 'ask', next, '--json')) as { caseId: string }
  expect(await ada.run('sign', second, '--key', 'Ada', '--yes')).toMatchObject({ exitCode: 4 })
  expect(stateOf(await ada.run('sign', second, '--key', 'Ada-2', '--yes', '--json'))).toBe('published')
})

test('of three people two decide; one says no and the release goes out all the same, and any one of them stops it', async () => {
  const ada = await three.person('Ada', ['administrator', 'board-member', 'release-manager'])
  const ben = await three.person('Ben', ['board-member'])
  const cas = await three.person('Cas', ['board-member'])
  const release = await three.plan('tools')
  const everybody = [ada, ben, cas].map(({ publicKey }, index) => `${['Ada', 'Ben', 'Cas'][index]}=${publicKey}`)
  const held = await ada.run(
    'trust',
    'init',
    '--yes',
    '--json',
    '--threshold',
    '2',
    '--quorum',
    '2',
    ...everybody.flatMap((key) => ['--custodian', key]),
  )
  const { draft } = held.json() as { draft: { id: string; state: string } }
  expect(draft.state).toBe('signing')
  expect(stateOf(await ben.run('sign', draft.id, '--yes', '--json'))).toBe('published')
  const status = await cas.run('trust', 'status')
  expect(status.err).toContain('TRUST ON FIRST USE')
  expect(status.out).toMatch(/company\.tools version 1, until .*: 2 of 3/)

  const { caseId } = answerOf(await ada.run('release', 'ask-board', release, '--json')) as { caseId: string }
  const no = await cas.run('case', 'no-go', caseId, '--reason', 'the till prints twice', '--yes')
  expect(no).toMatchObject({ exitCode: 0, out: expect.stringContaining('is open') as string })
  const first = await ada.run('sign', caseId, '--yes')
  expect(first).toMatchObject({ exitCode: 0 })
  expect(first.out).toMatch(/1 of 2 signatures\. Missing: .*Ben/)
  expect(await ada.run('sign', caseId, '--yes')).toMatchObject({ exitCode: 4 })
  expect(stateOf(await ben.run('sign', caseId, '--yes', '--json'))).toBe('published')
  expect((await cas.run('case', 'show', caseId)).out).toContain('the till prints twice')

  const stopped = await cas.run('case', 'stop', release, '--reason', 'it prints twice', '--yes', '--json')
  expect(stopped.err).toContain(`STOP: no device installs ${release} (tools) any more`)
  expect(stateOf(stopped)).toBe('published')

  const left = await ada.run('trust', 'leave', cas.keyId, '--yes', '--json')
  const leaving = left.json() as { draft: { id: string } }
  expect(stateOf(await ben.run('sign', leaving.draft.id, '--yes', '--json'))).toBe('published')
  expect((await ada.run('trust', 'status')).out).toMatch(/company\.tools version \d+, until .*: 2 of 2/)
  const renewed = await ada.run('trust', 'renew', 'company.stop', '--yes', '--json')
  expect(stateOf(renewed)).toBe('published')
})
