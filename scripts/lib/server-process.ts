import { readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { startGuarded } from './guarded-child.ts'
import type { GuardedChild } from './guarded-child.ts'
import type { Programs } from './programs.ts'
import { root } from './root.ts'

export interface ServerOptions {
  readonly dataFolder: string
  /** 0 takes a free port. */
  readonly port: number
  readonly environment?: string
  readonly env?: Readonly<Record<string, string | undefined>>
}

/** The JSON line that the server prints when it answers. */
export interface ServerReady {
  readonly url: string
  /** Present until somebody has become the first administrator. */
  readonly signInLink?: string
}

export interface RunningServer extends ServerReady {
  readonly process: GuardedChild
}

/** Starts the server (with its PostgreSQL and its signer) and waits until it answers; throws with its own last words. */
export async function startServer(options: ServerOptions, programs?: Programs): Promise<RunningServer> {
  await mkdir(join(options.dataFolder, 'log'), { recursive: true })
  const logFile = join(options.dataFolder, 'log', 'server.log')
  const main = join(root, 'packages', 'server', 'src', 'main.ts')
  const { promise: ready, resolve } = Promise.withResolvers<ServerReady>()
  const process_ = await startGuarded({
    name: 'the server',
    command: [process.execPath, main, '--data', options.dataFolder, '--port', String(options.port), '--ready-json'],
    env: { NODE_COMPILE_CACHE: join(root, '.cache', 'node'), BASCULE_ENVIRONMENT: options.environment, ...options.env },
    logFile,
    onLine: (line) => {
      const said = readyLine(line)
      if (said) resolve(said)
    },
  })
  programs?.add(process_)
  const outcome = await Promise.race([ready, process_.ended])
  if (typeof outcome === 'number')
    throw new Error(`The server did not start (exit code ${outcome}):\n${lastLines(logFile)}`)
  return { ...outcome, process: process_ }
}

function readyLine(line: string): ServerReady | undefined {
  if (!line.startsWith('{')) return undefined
  const said = JSON.parse(line) as Partial<ServerReady>
  return typeof said.url === 'string' ? (said as ServerReady) : undefined
}

/** The end of a log, for a message to a person. */
export function lastLines(file: string, count = 15): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count).join('\n')
}
