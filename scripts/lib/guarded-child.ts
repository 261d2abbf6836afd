import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Writable } from 'node:stream'

export interface GuardedChild {
  readonly name: string
  /** The process itself, not the guard: tests kill this one. */
  readonly pid: number
  /** Resolves with the exit code when the program has ended, for whatever reason; never rejects. */
  readonly ended: Promise<number>
  /** Asks the program to stop, waits, and after the time given ends it. Safe to call twice. */
  stop(timeoutMs?: number): Promise<void>
}

export interface GuardedOptions {
  readonly name: string
  readonly command: readonly [string, ...string[]]
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Everything the program prints goes here; lines of its standard output also to `onLine`. */
  readonly logFile: string
  readonly onLine?: (line: string) => void
  readonly uid?: number
  readonly gid?: number
}

/**
 * The guard is a few lines of shell that hold the reading end of a pipe. When its writing end closes, because we closed
 * it or because we were killed, the program gets SIGTERM. So no program outlives whoever started it, and Ctrl-C in a
 * terminal reaches only us: programs stop in our order.
 */
const guard =
  'exec 4<&3 3<&-; "$@" 4<&- & P=$!; echo "pid $P"; (read -r _ <&4; kill -TERM $P 2>/dev/null) & R=$!; wait $P; C=$?; kill $R 2>/dev/null; exit $C'

export async function startGuarded(options: GuardedOptions): Promise<GuardedChild> {
  const log = createWriteStream(options.logFile, { flags: 'a' })
  const child = spawn('sh', ['-c', guard, 'sh', ...options.command], {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    uid: options.uid,
    gid: options.gid,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    detached: true,
  })
  const ended = endOf(child)
  child.stderr?.pipe(log, { end: false })
  const pid = await pidFrom(child, log, options)
  const lifeline = child.stdio[3] as Writable
  lifeline.on('error', () => {}) // The reader is gone when the program ended by itself; `ended` tells that.
  return { name: options.name, pid, ended, stop: (timeoutMs = 20_000) => stop(pid, lifeline, ended, timeoutMs) }
}

async function endOf(child: ChildProcess): Promise<number> {
  const [code] = (await once(child, 'exit')) as [number | null]
  return code ?? 128
}

/** The guard's first line is the pid; every line after it is the program's own. */
function pidFrom(child: ChildProcess, log: Writable, options: GuardedOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => reject(new Error(`Starting ${options.name} failed`, { cause })))
    child.once('exit', () => reject(new Error(`${options.name} ended before it had started; see ${options.logFile}`)))
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
    lines.once('line', (first) => {
      resolve(Number(first.replace('pid ', '')))
      lines.on('line', (line) => {
        log.write(`${line}\n`)
        options.onLine?.(line)
      })
    })
  })
}

async function stop(pid: number, lifeline: Writable, ended: Promise<number>, timeoutMs: number): Promise<void> {
  lifeline.end('\n')
  const timer = setTimeout(() => killHard(pid), timeoutMs)
  await ended
  clearTimeout(timer)
}

function killHard(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ESRCH') throw cause
  }
}
