import { databaseName, databaseUser } from '@bascule/postgres/cluster-folder.ts'
import { readSocketNote, socketPort } from '@bascule/postgres/socket-folder.ts'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { connect, type DatabaseHandle } from '#/platform/db/connect.ts'

const main = fileURLToPath(new URL('../../main.ts', import.meta.url))
const simulator = fileURLToPath(new URL('../../../../simulator/src/main.ts', import.meta.url))

/** A real server process with its own PostgreSQL and signer, that a test may kill. */
export interface ServerChild {
  readonly url: string
  readonly port: number
  /** Link of the first administrator, while there is none. */
  readonly welcome: string | undefined
  /** SIGKILL, without a last word; with `alsoPostgres` its postmaster goes the same way first, as in a power cut. */
  kill(alsoPostgres: boolean): Promise<void>
  stop(): Promise<void>
}

export async function startServerChild(dataFolder: string, port = 0): Promise<ServerChild> {
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('BASCULE_')))
  const args = [main, '--data', dataFolder, '--port', String(port), '--ready-json']
  const env = {
    ...own,
    BASCULE_LOG_LEVEL: 'error',
    BASCULE_CHECK_IN_SECONDS: '30',
    BASCULE_BUSY_CHECK_IN_SECONDS: '10',
  }
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const ready = await firstLine(child)
  const { url, welcome } = JSON.parse(ready) as { url: string; welcome?: string }
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const gone = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined
    child.kill(signal)
    await gone
  }
  return {
    url: url.replace('localhost', '127.0.0.1'),
    port: Number(new URL(url).port),
    welcome,
    async kill(alsoPostgres) {
      if (alsoPostgres) process.kill(postmasterOf(dataFolder), 'SIGKILL')
      await end('SIGKILL')
    },
    stop: () => end('SIGTERM'),
  }
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('The server has no output')
  for await (const line of createInterface({ input: child.stdout })) return line
  throw new Error('The server ended before it was ready')
}

function postmasterOf(dataFolder: string): number {
  return Number(readFileSync(join(dataFolder, 'pg18', 'postmaster.pid'), 'utf8').split('\n', 1)[0])
}

/** A connection to the database of a running server, beside it. */
export async function connectBeside(dataFolder: string): Promise<DatabaseHandle> {
  const host = readSocketNote(dataFolder)
  if (host === undefined) throw new Error('The server has no database')
  const connection = { host, port: socketPort, user: databaseUser, database: databaseName }
  return await connect({ connection, poolSize: 2, onLost: () => undefined })
}

/** Simulated devices in a process of their own. */
export interface Fleet {
  /** Per device key the highest report number that the server has acknowledged so far. */
  readonly acked: ReadonlyMap<string, number>
  /** Resolves when so many reports have been acknowledged. */
  untilAcked(reports: number): Promise<void>
  /** Ends the fleet in order and answers its summary. */
  stop(): Promise<Record<string, unknown>>
}

export function startFleet(args: readonly string[]): Fleet {
  const child = spawn(process.execPath, [simulator, '--acks', ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const acked = new Map<string, number>()
  const waiting = new Set<() => void>()
  let summary: Record<string, unknown> = {}
  createInterface({ input: child.stdout }).on('line', (line) => {
    const said = JSON.parse(line) as { device?: string; acked?: number }
    if (said.device === undefined || said.acked === undefined) summary = said
    else acked.set(said.device, Math.max(acked.get(said.device) ?? 0, said.acked))
    for (const look of waiting) look()
  })
  const total = (): number => [...acked.values()].reduce((sum, high) => sum + high, 0)
  return {
    acked,
    async untilAcked(reports) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const look = (): void => void (total() >= reports && resolve())
      const ended = (): void => reject(new Error('The simulator ended'))
      waiting.add(look)
      child.once('exit', ended)
      look()
      await promise
      waiting.delete(look)
      child.off('exit', ended)
    },
    async stop() {
      const closed = child.exitCode === null ? once(child, 'close') : undefined
      child.kill('SIGTERM')
      await closed
      return summary
    },
  }
}
