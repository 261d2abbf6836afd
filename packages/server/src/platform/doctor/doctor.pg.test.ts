import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createEmptyDatabase, createTestDatabase } from '@bascule/testkit/test-database.ts'
import { makeCertificate, openssl } from '@bascule/testkit/certificate.ts'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readConfig } from '#/platform/config.ts'
import type { Config } from '#/platform/config.ts'
import { checkClock, checkNode, judgeSpace } from './check-machine.ts'
import { checkTls } from './check-network.ts'
import type { Finding } from './finding.ts'

const program = fileURLToPath(new URL('../../doctor.ts', import.meta.url))
let folder: string
let web: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'doctor-'))
  web = join(folder, 'web')
  mkdirSync(web)
  writeFileSync(join(web, 'index.html'), '<!doctype html>')
})

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

interface Report {
  readonly exitCode: number
  readonly healthy: boolean
  readonly findings: readonly Finding[]
}

async function doctor(env: Record<string, string> = {}, args: readonly string[] = []): Promise<Report> {
  const all = ['--data', join(folder, 'data'), '--port', '0', ...args]
  const { promise, resolve, reject } = Promise.withResolvers<Report>()
  const options = { env: { PATH: process.env['PATH'], BASCULE_WEB: web, ...env } }
  const child = execFile(process.execPath, [program, '--json', ...all], options, (_error, stdout, stderr) => {
    if (stderr !== '') reject(new Error(stderr))
    else resolve({ exitCode: child.exitCode ?? -1, ...(JSON.parse(stdout) as Omit<Report, 'exitCode'>) })
  })
  return await promise
}

function find({ findings }: Report, what: string): Finding {
  const found = findings.find((each) => each.what === what)
  if (found === undefined) throw new Error(`no finding about ${what}`)
  return found
}

function configOf(env: Record<string, string>): Config {
  const config = readConfig(['--data', folder], env)
  if (!config.ok) throw new Error(config.error.join('; '))
  return config.value
}

test('a machine that has everything is healthy, and nothing was made in it', async () => {
  const report = await doctor()
  expect(report.findings.filter(({ outcome }) => outcome === 'fail')).toEqual([])
  expect(report).toMatchObject({ healthy: true, exitCode: 0 })
  expect(find(report, 'postgresql').sentence).toMatch(/^The embedded PostgreSQL 18\.\d+ can be started/)
  expect(find(report, 'data folder').sentence).toContain('will be made')
})

test('every finding that is not ok says what to do next', async () => {
  const report = await doctor({
    BASCULE_DATABASE_URL: 'postgresql://nobody@127.0.0.1:9/none',
    BASCULE_SIGNER_SOCKET: join(folder, 'no.sock'),
    BASCULE_WEB: join(folder, 'nothing'),
    BASCULE_HOST: '0.0.0.0',
  })
  expect(report).toMatchObject({ healthy: false, exitCode: 1 })
  const bad = report.findings.filter(({ outcome }) => outcome !== 'ok')
  expect(bad.map(({ what, outcome }) => [what, outcome])).toEqual([
    ['tls', 'warn'],
    ['postgresql', 'fail'],
    ['migrations', 'warn'],
    ['signer', 'fail'],
    ['browser pages', 'fail'],
  ])
  for (const { next } of bad) expect(next).toMatch(/^[A-Z].+\.$/)
})

test('a configuration that is wrong is a finding per problem', async () => {
  const report = await doctor({ BASCULE_METRICS_PORT: 'many', BASCULE_TLS_CERT: 'x' })
  expect(report).toMatchObject({ healthy: false, exitCode: 1 })
  expect(report.findings.map(({ what }) => what)).toEqual(['configuration', 'configuration'])
})

test('a port that another program has is a failure', async () => {
  await using other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  expect(find(await doctor({}, ['--port', String(port)]), 'port')).toMatchObject({
    outcome: 'fail',
    sentence: `Port ${port} on 127.0.0.1 is taken by another program.`,
  })
})

test('an external database is asked for its version and its schema', async () => {
  await using empty = await createEmptyDatabase()
  const fresh = await doctor({ BASCULE_DATABASE_URL: empty.connectionString })
  expect(find(fresh, 'postgresql').sentence).toMatch(/^The external PostgreSQL \d+/)
  expect(find(fresh, 'migrations').sentence).toMatch(/^The next start applies \d+ migrations/)

  await using database = await createTestDatabase()
  expect(find(await doctor({ BASCULE_DATABASE_URL: database.connectionString }), 'migrations').sentence).toMatch(
    /^The schema is the one of this server/,
  )
  const client = new Client(database.address)
  await client.connect()
  await client.query("update migration set sha256 = 'other' where name like '0001%'")
  await client.end()
  const changed = find(await doctor({ BASCULE_DATABASE_URL: database.connectionString }), 'migrations')
  expect(changed).toMatchObject({ outcome: 'fail', sentence: expect.stringContaining('was changed') as string })
})

test.skipIf(process.geteuid?.() === 0)('a data folder of somebody else is a failure (not as root)', async () => {
  mkdirSync(join(folder, 'closed'), { mode: 0o500 })
  chmodSync(join(folder, 'closed'), 0o500)
  const report = await doctor({}, ['--data', join(folder, 'closed')])
  expect(find(report, 'data folder').outcome).toBe('fail')
})

test.skipIf(openssl === undefined)(
  'the certificate is judged by its dates, its key and its name (needs openssl)',
  async () => {
    const made = await makeCertificate(folder, { days: 365, host: 'releases.example.org' })
    const config = configOf({ BASCULE_TLS_CERT: made.cert, BASCULE_TLS_KEY: made.key })
    const now = Temporal.Now.instant()
    expect(checkTls(config, now).outcome).toBe('ok')
    expect(checkTls(config, now.add({ hours: 340 * 24 }))).toMatchObject({ outcome: 'warn' })
    expect(checkTls(config, now.add({ hours: 366 * 24 }))).toMatchObject({ outcome: 'fail' })
    expect(checkTls({ ...config, publicUrl: 'https://releases.example.org' }, now).outcome).toBe('ok')
    expect(checkTls({ ...config, publicUrl: 'https://other.example.org' }, now).sentence).toContain('not for other')
    const other = await makeCertificate(join(folder, 'web'), { days: 1, host: 'x.example.org' })
    expect(checkTls({ ...config, tlsKey: other.key }, now).sentence).toContain('is not the key of')
    expect(checkTls({ ...config, tlsKey: join(folder, 'gone') }, now).sentence).toContain('cannot be read')
  },
)

test('an old Node, a full disk and a clock in the past are said so', () => {
  const config = configOf({})
  expect(checkNode(config, '20.19.0')).toMatchObject({ outcome: 'fail' })
  expect(judgeSpace('/data', 100_000_000).outcome).toBe('fail')
  expect(judgeSpace('/data', 1_000_000_000).outcome).toBe('warn')
  expect(checkClock(config, Temporal.Instant.from('2001-01-01T00:00:00Z')).outcome).toBe('fail')
})
