import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'

export interface AgentFolders {
  readonly data: string
  readonly root: string
}

export interface AgentStart extends AgentFolders {
  readonly server: string
  readonly token?: string
  readonly env?: Readonly<Record<string, string>>
  readonly everySeconds?: number
  readonly facts?: string
}

export interface AgentProcess {
  readonly child: ChildProcess
  readonly errors: () => string
  /** How it ended: `0`, `75`, `SIGKILL`. */
  readonly ended: Promise<string>
  stop(): Promise<string>
}

export const agentProgram = path.join(import.meta.dirname, '../../dist/bascule-agent.mjs')

/** Starts the shipped agent as a device does. */
export function startAgent(start: AgentStart): AgentProcess {
  const args = [
    agentProgram,
    'run',
    '--server',
    start.server,
    '--data',
    start.data,
    '--root',
    start.root,
    '--every',
    String(start.everySeconds ?? 0.05),
    '--name',
    'crash-test',
    ...(start.facts === undefined ? [] : ['--facts', start.facts]),
    ...(start.token === undefined ? [] : ['--token', start.token]),
  ]
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...start.env },
  })
  let errors = ''
  child.stderr.on('data', (bytes: Buffer) => {
    errors = (errors + bytes.toString('utf8')).slice(-20_000)
  })
  const ended = once(child, 'exit').then(([code, signal]) => String((signal as string | null) ?? (code as number)))
  return {
    child,
    errors: () => errors,
    ended,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
      return await ended
    },
  }
}
