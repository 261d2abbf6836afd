import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Duplex, Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'

import { readPostmasterFile } from './postmaster-file.ts'
import type { RunAs } from './run-as.ts'

/**
 * A shell between us and PostgreSQL holds the reading end of a pipe whose writing end dies with us, whatever kills
 * us: at its end PostgreSQL gets a fast shutdown. It runs in its own session, so that Ctrl-C in the terminal reaches
 * only us and connections are closed before the database goes.
 */
const watchdog = `
exec 4<&3 3<&-
"$@" 4<&- >&2 &
postmaster=$!
echo "$postmaster"
(read -r _ <&4; kill -INT "$postmaster") >&- 2>&- &
watch=$!
exec 4<&-
wait "$postmaster"
status=$?
kill "$watch" 2>/dev/null
exit "$status"
`

export interface SupervisedPostgres {
  readonly pid: number
  /** Resolves with how it ended, asked for or not. */
  readonly ended: Promise<string>
  /** Fast shutdown; resolves when the process is gone. */
  stop(): Promise<void>
}

/** Starts PostgreSQL on a cluster folder and resolves when it accepts connections. */
export async function supervisePostgres(
  runAs: RunAs,
  command: readonly string[],
  clusterFolder: string,
  log: (line: string) => void,
): Promise<SupervisedPostgres> {
  const shell = spawn('/bin/sh', ['-c', watchdog, 'postgres-watchdog', ...runAs.prefix, ...command], {
    ...runAs.account,
    cwd: clusterFolder,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  })
  const lastLines = followLog(shell, log)
  const ended = followEnd(shell)
  const pid = await readPid(shell)
  await waitUntilReady(clusterFolder, pid, ended, lastLines)
  return { pid, ended, stop: () => stop(shell, pid, ended) }
}

function followLog(shell: ChildProcess, log: (line: string) => void): readonly string[] {
  const lastLines: string[] = []
  createInterface({ input: shell.stderr as Readable }).on('line', (line) => {
    lastLines.push(line)
    if (lastLines.length > 20) lastLines.shift()
    log(line)
  })
  return lastLines
}

async function followEnd(shell: ChildProcess): Promise<string> {
  // 'close' rather than 'exit': then the last words of the log have arrived, too.
  const [code, signal] = (await once(shell, 'close')) as [number | null, NodeJS.Signals | null]
  return code === null ? `ended by ${signal}` : `exit code ${code}`
}

async function readPid(shell: ChildProcess): Promise<number> {
  for await (const line of createInterface({ input: shell.stdout as Readable })) return Number(line)
  return Number.NaN
}

/** Recovery after a crash may take minutes, so there is no limit as long as the process lives. */
async function waitUntilReady(
  clusterFolder: string,
  pid: number,
  ended: Promise<string>,
  lastLines: readonly string[],
): Promise<void> {
  let end: string | undefined
  void ended.then((how) => (end = how))
  for (;;) {
    const file = readPostmasterFile(clusterFolder)
    if (file?.pid === pid && file.isReady) return
    if (end !== undefined) throw new Error(`PostgreSQL did not start (${end}):\n${lastLines.join('\n')}`)
    await pause(4)
  }
}

const patienceMs = 30_000

async function stop(shell: ChildProcess, pid: number, ended: Promise<string>): Promise<void> {
  const lifeline = shell.stdio[3] as Duplex
  lifeline.destroy()
  for (const signal of ['SIGQUIT', 'SIGKILL'] as const) {
    const how = await Promise.race([ended, pause(patienceMs, undefined, { ref: false })])
    if (how !== undefined) return
    if (shell.exitCode === null) process.kill(pid, signal)
  }
  await ended
}
