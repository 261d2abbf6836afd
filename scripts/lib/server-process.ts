import { readFileSync, statSync } from 'node:fs'
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
  /** Where the first administrator begins; absent when there is one. */
  readonly welcome?: string
}

export interface RunningServer extends ServerReady {
  readonly process: GuardedChild
}

/** Starts the server (with its PostgreSQL and its signer) and waits until it answers; throws with its own last words. */
export async function startServer(options: ServerOptions, programs?: Programs): Promise<RunningServer> {
  await mkdir(join(options.dataFolder, 'log'), { recursive: true })
  const logFile = join(options.dataFolder, 'log', 'server.log')
  const main = join(root, 'packages', 'server', 'src', 'main.ts')
  const logStart = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0
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
    throw new Error(`The server did not start (exit code ${outcome}):\n${lastWords(logFile, logStart)}`)
  return { ...outcome, process: process_ }
}

function readyLine(line: string): ServerReady | undefined {
  if (!line.startsWith('{')) return undefined
  const { url, welcome } = JSON.parse(line) as { url?: string; welcome?: string }
  return url === undefined ? undefined : { url, ...(welcome === undefined ? {} : { welcome }) }
}

interface LogLine {
  readonly level?: number
  readonly msg?: string
  readonly err?: { readonly message?: string }
}

/** What the server said to a person since it started: its plain sentences, and of its log the errors. */
function lastWords(file: string, from: number): string {
  const lines = readFileSync(file).subarray(from).toString().trimEnd().split('\n')
  return lines
    .filter((line) => !/^\(|^\s+at /.test(line))
    .flatMap(sentenceOf)
    .slice(-10)
    .join('\n')
}

function sentenceOf(line: string): string[] {
  if (!line.startsWith('{')) return [line]
  const { level = 0, msg = '', err } = JSON.parse(line) as LogLine
  return level < 50 ? [] : [err?.message === undefined ? msg : `${msg}: ${err.message}`]
}
