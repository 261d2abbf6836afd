import { indexFacts } from '@bascule/domain/estate/query/index-facts.ts'
import { devicePaths, Enrolled } from '@bascule/contract/device/protocol.ts'
import { databaseName, databaseUser } from '@bascule/postgres/cluster-folder.ts'
import { readSocketNote, socketPort } from '@bascule/postgres/socket-folder.ts'
import { signEnrolProof } from '@bascule/trust/enrol-proof.ts'
import { generateKeyPair } from '@bascule/trust/keys.ts'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import pg from 'pg'
import { root } from '#scripts/lib/root.ts'
import { type Board, foundBoard } from '#scripts/lib/board.ts'
import { startServer, type RunningServer } from '#scripts/lib/server-process.ts'
import { connectApi, type Api } from '#scripts/start/api.ts'

const simulator = join(root, 'packages', 'simulator', 'src', 'main.ts')
export const seed = 20261123

/** A real server with its own PostgreSQL and signer in a temporary folder, full durability, nothing else configured. */
export interface Installation extends AsyncDisposable {
  readonly server: RunningServer
  readonly api: Api
  /** Of this run only, for whatever else belongs to the installation. */
  readonly folder: string
  readonly sql: pg.Client
  /** Lets releases out: made when it is first asked for, signing by the command line only. */
  board(): Promise<Board>
  /** Seconds from the start of the process until it answered, with the fleet in its memory. */
  readonly startSeconds: number
}

const administrator = { name: 'Bench', email: 'bench@example.org', password: 'only for this run 1' }
const env = { BASCULE_LOG_LEVEL: 'warn', BASCULE_CHECK_IN_SECONDS: '300', BASCULE_BUSY_CHECK_IN_SECONDS: '15' }

/**
 * An installation with so many devices, or with none. They are put into the database by SQL, with keys and facts that the simulator
 * derives from the seed, because a hundred thousand enrolments would measure enrolment.
 */
export async function createInstallation(devices: number): Promise<Installation> {
  const scratch = mkdtempSync(join(tmpdir(), 'bench-'))
  await using held = new AsyncDisposableStack()
  held.defer(() => rmSync(scratch, { recursive: true, force: true }))
  const dataFolder = join(scratch, 'data')
  const first = await startServer({ dataFolder, port: 0, env })
  const api = await becomeAdministrator(first)
  if (devices > 0) await fillFleet(dataFolder, devices)
  await first.process.stop()
  const startedAt = performance.now()
  const server = await startServer({ dataFolder, port: Number(new URL(first.url).port), env })
  held.defer(async () => await server.process.stop())
  const startSeconds = (performance.now() - startedAt) / 1000
  const sql = await connectBeside(dataFolder)
  held.defer(async () => await sql.end())
  const all = held.move()
  let founded: Promise<Board> | undefined
  const board = () => (founded ??= foundBoard(join(scratch, 'member'), api, administrator.email))
  return { server, api, folder: scratch, sql, board, startSeconds, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

async function becomeAdministrator({ url, welcome = '' }: RunningServer): Promise<Api> {
  const api = connectApi(url)
  const code = new URL(welcome).searchParams.get('code')
  const { personId } = await api.post<{ personId: string }>('/platform/welcome', { code, ...administrator })
  const answer = await fetch(`${url}/api/auth/sign-in/email`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: url },
    body: JSON.stringify(administrator),
  })
  const cookie = answer.headers.getSetCookie().map((one) => one.split(';')[0])
  const signedIn = api.as({ cookie: cookie.join('; ') })
  for (const role of ['release-manager', 'board-member']) await signedIn.post('/estate/role-grants', { personId, role })
  await signedIn.post('/estate/product-lines', { code: 'sales-desk', name: 'Sales Desk' })
  return signedIn
}

async function connectBeside(dataFolder: string): Promise<pg.Client> {
  const host = readSocketNote(dataFolder)
  if (host === undefined) throw new Error('The server has no database of its own')
  const client = new pg.Client({ host, port: socketPort, user: databaseUser, database: databaseName })
  client.on('error', () => undefined) // The server takes its PostgreSQL down with it.
  await client.connect()
  return client
}

/** The public key of the server's director, learned as every device learns it: by enrolling. */
export async function directorKeyOf({ api, server }: Installation): Promise<string> {
  const { token } = await api.post<{ token: string }>('/estate/enrolment-tokens', { autoApprove: true })
  const key = generateKeyPair()
  const createdAt = new Date().toISOString()
  const proof = signEnrolProof(key, { token, createdAt })
  const { publicKey } = key
  const body = { protocol: 1, token, publicKey, name: 'probe', agentVersion: '0', facts: {}, createdAt, proof }
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${server.url}${devicePaths.enrol}`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  })
  return Enrolled.parse(await answer.json()).directorKey.keyval.public
}

interface DeviceLine {
  readonly keyId: string
  readonly publicKey: string
  readonly name: string
  readonly facts: Record<string, string | number | boolean>
  readonly factsHash: string
}

const batchSize = 5000

async function fillFleet(dataFolder: string, devices: number): Promise<void> {
  const client = await connectBeside(dataFolder)
  const child = spawn(
    process.execPath,
    [simulator, '--print-devices', '--devices', String(devices), '--seed', String(seed)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  let batch: DeviceLine[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    batch.push(JSON.parse(line) as DeviceLine)
    if (batch.length < batchSize) continue
    await insertDevices(client, batch)
    batch = []
  }
  await insertDevices(client, batch)
  await client.query(
    `insert into device_presence (device_id, last_seen_at) select id, now() from device on conflict do nothing`,
  )
  await addPackage(client)
  await client.query('vacuum analyze')
  await client.end()
}

async function insertDevices(client: pg.Client, lines: readonly DeviceLine[]): Promise<void> {
  const rows = lines.map((line) => {
    const { facts, terms, orderKeys } = indexFacts({ ...line.facts, 'agent.version': '0.1.0-simulated' })
    return { ...line, facts, terms, order_keys: orderKeys }
  })
  await client.query(
    `insert into device (key_id, public_key, name, state, state_since, agent_version, facts, facts_hash, facts_at, terms, order_keys, enrolled_at)
     select r->>'keyId', r->>'publicKey', r->>'name', 'active', now(), '0.1.0-simulated', r->'facts', r->>'factsHash', now(),
       array(select jsonb_array_elements_text(r->'terms')), r->'order_keys', now()
     from jsonb_array_elements($1::jsonb) with ordinality n (r, at) order by at`,
    [JSON.stringify(rows)],
  )
}

/** A package version as a row: nobody downloads it here. */
async function addPackage(client: pg.Client): Promise<void> {
  await client.query(`insert into package (id, name, vendor, class, created_at)
    values ('00000000-0000-4000-8000-000000000001', 'salesdesk', 'Example', 'application', now())`)
  await client.query(`insert into package_version (id, package_id, version, index_digest, index_size_bytes, size_bytes, file_count, spec,
      uploaded_by_kind, uploaded_by_id, uploaded_by_name, uploaded_at)
    values (gen_random_uuid(), '00000000-0000-4000-8000-000000000001', '2.0.0', 'sha256:' || repeat('a', 64), 100, 1000, 1, '{}',
      'person', 'bench', 'Bench', now())`)
}

export interface Simulation {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly checkIns: number
  readonly reportsAcked: number
  readonly unanswered: number
  readonly problems: Record<string, number>
  readonly outcomes: Record<string, number>
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly p99: number }
}

/** Runs the simulator against a server until it ends by itself, and answers its summary. */
export async function simulate(url: string, options: Readonly<Record<string, string | number>>): Promise<Simulation> {
  const args = Object.entries({ server: url, seed, faults: 'none', connections: 64, for: 600, ...options })
  const child = spawn(process.execPath, [simulator, ...args.flatMap(([name, value]) => [`--${name}`, String(value)])], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const said = JSON.parse(await text(child.stdout)) as Simulation
  if (said.unanswered > 0 || Object.keys(said.problems).length > 0) {
    throw new Error(`Not every request was answered with yes: ${JSON.stringify(said)}`)
  }
  return said
}
