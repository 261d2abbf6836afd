import type { ReleasePlan } from '@bascule/contract/plan/release.ts'
import { sql } from 'kysely'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type * as z from 'zod'
import type { Db } from '#/platform/db/database.ts'
import { addLibrary, countersOf, recount } from './testing/delivery-world.ts'
import { holdCeremony, letOut, type Ask } from './testing/sign-over-http.ts'
import { connectBeside, startFleet, startServerChild, type Fleet, type ServerChild } from './testing/server-child.ts'

const deviceCount = 200
/** The server dies when so many reports have been acknowledged; every second time its PostgreSQL dies with it. */
const deaths = [5, 30, 80, 130, 170]

const limits = { failureBudget: 100, inFlightMax: 30, successPermilleMin: 0, advanceAtPermille: 900 }
const plan: z.input<typeof ReleasePlan> = {
  title: 'Sales Desk',
  version: '2.0.0',
  productLine: 'sales-desk',
  packages: [{ name: 'salesdesk', version: '2.0.0' }],
  audience: { query: 'os:linux', mode: 'frozen' },
  phases: [
    { name: 'Pilot', query: 'sample:10%', ...limits },
    { name: 'Half', query: 'sample:50%', ...limits },
    { name: 'Everybody', ...limits, inFlightMax: 60 },
  ],
}

const administrator = { name: 'Ada', email: 'ada@example.org', password: 'correct horse battery' }

async function post(url: string, body: object | undefined, cookie = '', method = 'POST'): Promise<Response> {
  const headers = { 'content-type': 'application/json', origin: new URL(url).origin, cookie }
  const answer = await fetch(url, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) })
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`)
  return answer
}

/** The first administrator of a fresh server, who manages releases as well; answers the session's cookie. */
async function becomeAdministrator({ url, welcome = '' }: ServerChild): Promise<string> {
  const code = new URL(welcome).searchParams.get('code')
  const welcomed = await post(`${url}/api/platform/welcome`, { code, ...administrator })
  const { personId } = (await welcomed.json()) as { personId: string }
  const signedIn = await post(`${url}/api/auth/sign-in/email`, administrator)
  const cookie = signedIn.headers
    .getSetCookie()
    .map((one) => one.split(';')[0])
    .join('; ')
  for (const role of ['release-manager', 'board-member']) {
    await post(`${url}/api/estate/role-grants`, { personId, role }, cookie)
  }
  return cookie
}

async function makeToken({ url }: ServerChild, cookie: string): Promise<string> {
  const input = { label: 'simulated', autoApprove: true, usesMax: deviceCount }
  const made = (await (await post(`${url}/api/estate/enrolment-tokens`, input, cookie)).json()) as { token: string }
  return made.token
}

async function startRelease({ url }: ServerChild, cookie: string): Promise<void> {
  const ask: Ask = async (method, path, body) =>
    (await (await post(`${url}/api${path}`, body, cookie, method)).json()) as never
  await holdCeremony(ask)
  const made = (await (await post(`${url}/api/releases`, plan, cookie)).json()) as { releaseId?: string; id?: string }
  const releaseId = made.releaseId ?? made.id ?? ''
  await letOut(ask, releaseId)
  await post(`${url}/api/releases/${releaseId}/rollout/start`, {}, cookie)
}

/** What must hold after every restart, of the database as it then is: seen at one moment, while devices go on. */
async function expectNothingLost(db: Db, fleet: Fleet): Promise<void> {
  const acked = [...fleet.acked]
  const { lost, kept, counted } = await db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (tx) => ({
      lost: await lostReports(tx, acked),
      kept: await countersOf(tx),
      counted: await recount(tx),
    }))
  expect(lost).toEqual([])
  expect(kept).toEqual(counted)
}

/** Devices of which a report is missing that was acknowledged to them. */
async function lostReports(db: Db, acked: readonly (readonly [string, number])[]): Promise<unknown[]> {
  const { rows } = await sql`
    select a.key_id, a.high, count(r.seq)::int as stored
    from unnest(${acked.map(([key]) => key)}::text[], ${acked.map(([, high]) => high)}::bigint[]) a (key_id, high)
    join device d on d.key_id = a.key_id left join report r on r.device_id = d.id and r.seq <= a.high
    group by 1, 2 having count(r.seq) <> a.high`.execute(db)
  return rows
}

async function rolloutState(db: Db): Promise<string | undefined> {
  return (await db.selectFrom('rollout').select('state').executeTakeFirst())?.state
}

test('a server killed five times during a rollout of three phases loses nothing it acknowledged, and the rollout completes', async () => {
  const dataFolder = await mkdtemp(join(tmpdir(), 'killed-'))
  await using held = new AsyncDisposableStack()
  held.defer(async () => await rm(dataFolder, { recursive: true, force: true }))
  let server = await startServerChild(dataFolder)
  held.defer(async () => await server.stop())
  const cookie = await becomeAdministrator(server)
  const token = await makeToken(server, cookie)

  const faults = 'health=30,disk=100,crash=60,repeat=50,lost-ack=100'
  const habits = ['--interval', '120', '--speed', '200', '--spread', '200', '--package-mb', '5', '--connections', '32']
  const devices = ['--devices', String(deviceCount), '--seed', '11', '--faults', faults]
  const fleet = startFleet(['--server', server.url, '--token', token, ...devices, ...habits])
  held.defer(async () => void (await fleet.stop()))
  {
    await using beside = await connectBeside(dataFolder)
    await addLibrary(beside.db)
    await expect.poll(() => countDevices(beside.db), { timeout: 60_000 }).toBe(deviceCount)
  }
  await startRelease(server, cookie)

  for (const [death, reports] of deaths.entries()) {
    await fleet.untilAcked(reports)
    await server.kill(death % 2 === 1)
    server = await startServerChild(dataFolder, server.port)
    await using beside = await connectBeside(dataFolder)
    await expectNothingLost(beside.db, fleet)
  }

  await using beside = await connectBeside(dataFolder)
  const { db } = beside
  const over = /^completed/
  await expect.poll(() => rolloutState(db), { timeout: 180_000, interval: 200 }).toMatch(over)
  await fleet.untilAcked(deviceCount)
  const summary = await fleet.stop()
  await expectNothingLost(db, fleet)
  expect(summary).toMatchObject({ enrolled: expect.any(Number), repeatsAccepted: 0, jobsOpen: 0, unsent: 0 })
  expect(summary['acksLost']).toBeGreaterThan(0)
  expect(await phaseStates(db)).toEqual(['succeeded', 'succeeded', 'succeeded'])
  expect(await brokenSequences(db)).toEqual([])
  const ended = await endedJobs(db)
  expect(ended.devices).toBe(deviceCount)
  expect(ended.rolledBack).toBeGreaterThan(0)
  // One install is one update of the CMDB, however often its report came.
  expect(await installsInCmdb(db)).toBe(ended.succeeded)
}, 300_000)

async function countDevices(db: Db): Promise<number> {
  const { rows } = await sql<{ devices: number }>`select count(*)::int as devices from device`.execute(db)
  return rows[0]?.devices ?? 0
}

async function phaseStates(db: Db): Promise<string[]> {
  const rows = await db.selectFrom('phase').select('state').orderBy('ord').execute()
  return rows.map(({ state }) => state)
}

/** Devices whose report numbers have a gap. */
async function brokenSequences(db: Db): Promise<unknown[]> {
  const { rows } = await sql`
    select device_id, count(*), max(seq) from report group by 1 having count(*) <> max(seq) or min(seq) <> 1`.execute(
    db,
  )
  return rows
}

async function endedJobs(db: Db): Promise<{ devices: number; succeeded: number; rolledBack: number }> {
  const rows = await db.selectFrom('job').select('state').execute()
  const of = (state: string): number => rows.filter((row) => row.state === state).length
  return {
    devices: of('succeeded') + of('rolled-back') + of('already-present'),
    succeeded: of('succeeded'),
    rolledBack: of('rolled-back'),
  }
}

async function installsInCmdb(db: Db): Promise<number> {
  const { rows } = await sql<{ installs: number }>`
    select count(*)::int as installs from ci_history where change in ('installed', 'updated') and slot like '%salesdesk%'`.execute(
    db,
  )
  return rows[0]?.installs ?? 0
}
