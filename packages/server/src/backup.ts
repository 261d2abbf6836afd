import { parseArgs } from 'node:util'
import { findRunningPostgres, startEmbeddedPostgres } from '@bascule/postgres/embedded-postgres.ts'
import { isStartRefusal } from '@bascule/postgres/refusal.ts'
import type { ClientConfig } from 'pg'
import { backup } from '#/platform/backup/backup.ts'
import { restore } from '#/platform/backup/restore.ts'
import { readConfig } from '#/platform/config.ts'

/**
 * `node backup.ts backup --data <folder> --to <folder>` saves everything, also while the server runs;
 * `node backup.ts restore --from <folder> --data <folder>` makes a new data folder from it. Prints one JSON line.
 */
const usage = 'Say "backup --data <folder> --to <folder>" or "restore --from <folder> --data <folder>".'

interface Order {
  readonly verb: string | undefined
  readonly data?: string
  readonly to?: string
  readonly from?: string
}

function readOrder(): Order {
  const options = { data: { type: 'string' }, to: { type: 'string' }, from: { type: 'string' } } as const
  const { values, positionals } = parseArgs({ options, allowPositionals: true, strict: true })
  return { verb: positionals[0], ...values }
}

async function runBackup(dataFolder: string, to: string): Promise<object> {
  const { databaseUrl } = readSettings()
  const running = databaseUrl === undefined ? findRunningPostgres(dataFolder) : { connectionString: databaseUrl }
  await using stack = new AsyncDisposableStack()
  const connection: ClientConfig = running ?? stack.use(await startEmbeddedPostgres({ dataFolder })).address
  const manifest = await backup({ connection, dataFolder, to, now: Temporal.Now.instant() })
  return { done: 'backup', to, ...countsOf(manifest) }
}

async function runRestore(from: string, dataFolder: string): Promise<object> {
  const { manifest, epoch, migrated } = await restore({ from, dataFolder, now: Temporal.Now.instant() })
  return { done: 'restore', dataFolder, madeAt: manifest.madeAt, epoch, migrated, ...countsOf(manifest) }
}

function countsOf(manifest: Awaited<ReturnType<typeof backup>>): object {
  const rows = manifest.tables.reduce((sum, table) => sum + table.rows, 0)
  return { tables: manifest.tables.length, rows, files: manifest.files.length }
}

function readSettings(): { readonly databaseUrl: string | undefined } {
  const config = readConfig([], process.env)
  if (!config.ok) throw new Error(config.error.join('; '))
  return config.value
}

async function run({ verb, data, to, from }: Order): Promise<object> {
  if (verb === 'backup' && data !== undefined && to !== undefined) return await runBackup(data, to)
  if (verb === 'restore' && data !== undefined && from !== undefined) return await runRestore(from, data)
  throw new Error(usage)
}

/** A refusal is a sentence for the operator; anything else comes with its stack. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return isStartRefusal(error) ? error.message : (error.stack ?? error.message)
}

try {
  process.stdout.write(`${JSON.stringify(await run(readOrder()))}\n`)
} catch (error) {
  process.stderr.write(`${explain(error)}\n`)
  process.exitCode = 1
}
