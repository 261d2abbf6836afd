import { createInstallation, type Installation } from './lib/installation.ts'
import { planRelease, startRollout, untilFirstPhaseOpens } from './lib/release.ts'
import { print, printMachine, round, spreadOf } from './lib/report.ts'

/**
 * Start of a rollout in three phases over the HTTP API: seconds until it is accepted and until its first phase is open,
 * and the rows that were written. Beside it, in the same run, what one row per device would cost.
 */
const devices = process.argv.length > 2 ? Number(process.argv[2]) : 100_000
const runs = 3

interface Started {
  readonly acceptedSeconds: number
  readonly openSeconds: number
  readonly rows: number
}

async function startOne(installation: Installation): Promise<Started> {
  const { api } = installation
  const releaseId = await planRelease(api, [
    { name: 'Pilot', query: 'sample:1%' },
    { name: 'Tenth', query: 'sample:10%' },
    { name: 'Everybody' },
  ])
  const xid = await currentXid(installation)
  const startedAt = performance.now()
  await startRollout(api, releaseId)
  const acceptedSeconds = (performance.now() - startedAt) / 1000
  await untilFirstPhaseOpens(api, releaseId)
  const openSeconds = (performance.now() - startedAt) / 1000
  return { acceptedSeconds, openSeconds, rows: await rowsSince(installation, xid) }
}

async function currentXid({ sql }: Installation): Promise<string> {
  const { rows } = await sql.query<{ xid: string }>('select pg_current_xact_id()::text as xid')
  return rows[0]?.xid ?? '0'
}

/** Row versions that are newer, in all tables: every insert and update leaves one. */
async function rowsSince({ sql }: Installation, xid: string): Promise<number> {
  const tables = await sql.query<{ name: string }>(
    `select quote_ident(schemaname) || '.' || quote_ident(relname) as name from pg_stat_user_tables where relname <> 'device_presence'`,
  )
  let sum = 0
  for (const { name } of tables.rows) {
    const { rows } = await sql.query<{ rows: number }>(
      `select count(*)::int as rows from ${name} where xmin::text::bigint > $1::bigint`,
      [xid],
    )
    sum += rows[0]?.rows ?? 0
  }
  return sum
}

/** The same audience as rows, as a table of jobs would have it: the least that such a design must write. */
async function rowPerDevice({ sql }: Installation): Promise<number> {
  await sql.query(
    'create table bench_job (rollout_id int, device_id int, phase smallint, state text, primary key (rollout_id, device_id))',
  )
  const startedAt = performance.now()
  await sql.query(`insert into bench_job select 1, id, 1, 'assigned' from device where terms @> array['os=linux']`)
  const seconds = (performance.now() - startedAt) / 1000
  await sql.query('drop table bench_job')
  return seconds
}

printMachine('start-rollout')
await using installation = await createInstallation(devices)
const started: Started[] = []
const naive: number[] = []
for (let at = 0; at < runs; at += 1) {
  started.push(await startOne(installation))
  naive.push(await rowPerDevice(installation))
}
print({
  bench: 'start-rollout',
  devices,
  what: 'start over the API',
  acceptedSeconds: spreadOf(started.map((one) => one.acceptedSeconds)),
  firstPhaseOpenSeconds: spreadOf(started.map((one) => one.openSeconds)),
  rowsWritten: Math.max(...started.map((one) => one.rows)),
})
print({
  bench: 'start-rollout',
  devices,
  what: 'one row per device, the insert alone',
  seconds: spreadOf(naive.map(round)),
  rowsWritten: devices,
})
