import { createInstallation, type Installation } from './lib/installation.ts'
import { planRelease, startRollout, untilFirstPhaseOpens } from './lib/release.ts'
import { print, printMachine, round, spreadOf } from './lib/report.ts'

/**
 * A rollout in three phases over the HTTP API: seconds of the question to the board, which counts and places the
 * audience, of the start after its Go, and until the first phase is open, and the rows that were written. Beside it, in
 * the same run, what one row per device would cost.
 */
const devices = process.argv.length > 2 ? Number(process.argv[2]) : 100_000
const runs = 3

interface Started {
  readonly askedSeconds: number
  readonly acceptedSeconds: number
  readonly openSeconds: number
  readonly askedRows: number
  readonly startedRows: number
}

async function startOne(installation: Installation): Promise<Started> {
  const { api } = installation
  const releaseId = await planRelease(api, [
    { name: 'Pilot', query: 'sample:1%' },
    { name: 'Tenth', query: 'sample:10%' },
    { name: 'Everybody' },
  ])
  const board = await installation.board()
  const asked = await timed(installation, async () => await board.ask(releaseId))
  await board.sign(asked.answer)
  const started = await timed(installation, async () => {
    const startedAt = performance.now()
    await startRollout(api, releaseId)
    const acceptedSeconds = (performance.now() - startedAt) / 1000
    await untilFirstPhaseOpens(api, releaseId)
    return acceptedSeconds
  })
  return {
    askedSeconds: asked.seconds,
    acceptedSeconds: started.answer,
    openSeconds: started.seconds,
    askedRows: asked.rows,
    startedRows: started.rows,
  }
}

async function timed<Answer>(installation: Installation, action: () => Promise<Answer>) {
  const xid = await currentXid(installation)
  const startedAt = performance.now()
  const answer = await action()
  const seconds = (performance.now() - startedAt) / 1000
  return { answer, seconds, rows: await rowsSince(installation, xid) }
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
  what: 'question to the board over the API',
  seconds: spreadOf(started.map((one) => one.askedSeconds)),
  rowsWritten: Math.max(...started.map((one) => one.askedRows)),
})
print({
  bench: 'start-rollout',
  devices,
  what: 'start after its Go over the API',
  acceptedSeconds: spreadOf(started.map((one) => one.acceptedSeconds)),
  firstPhaseOpenSeconds: spreadOf(started.map((one) => one.openSeconds)),
  rowsWritten: Math.max(...started.map((one) => one.startedRows)),
})
print({
  bench: 'start-rollout',
  devices,
  what: 'one row per device, the insert alone',
  seconds: spreadOf(naive.map(round)),
  rowsWritten: devices,
})
