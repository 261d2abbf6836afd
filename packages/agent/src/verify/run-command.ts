import { spawn, type ChildProcess } from 'node:child_process'
import { plainText } from '#/engine/plain-text.ts'
import type { Isolation, Platform } from '#/platform/platform.ts'

export interface Command {
  readonly file: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly timeoutMs: number
  /** Names the control group; one command per name at a time. */
  readonly name: string
  readonly platform: Platform
  readonly graceMs?: number
  readonly signal?: AbortSignal
}

export interface CommandOutcome {
  /** Null when it was ended by a signal, by the timeout, or could not start. */
  readonly exitCode: number | null
  readonly timedOut: boolean
  /** The last 64 KiB of what it wrote. */
  readonly output: string
  /** One sentence for the receipt. */
  readonly summary: string
}

const outputMax = 65_536
/** How long the rest of the output is waited for after the end of the command. */
const lastWordsMs = 300

/**
 * Runs one command of a package: no shell, nothing to read, output capped, a process group (and as root a control
 * group) of its own. Whatever it started is ended with it: no process survives its step.
 */
export async function runCommand(command: Command): Promise<CommandOutcome> {
  const isolation = command.platform.isolate(command.name)
  isolation?.killAll()
  const child = spawn(command.file, command.args, {
    cwd: command.cwd,
    env: { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', LANG: 'C.UTF-8', ...command.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  if (child.pid !== undefined) adopt(isolation, child.pid)
  try {
    return await outcomeOf(child, command, isolation)
  } finally {
    endGroup(child, 'SIGKILL', isolation)
    await isolation?.end()
  }
}

function adopt(isolation: Isolation | null, pid: number): void {
  try {
    isolation?.adopt(pid)
  } catch (error) {
    // A command that is over before it could be moved needs no group; otherwise the process group has to do.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') {
      process.stderr.write(`The command runs without a control group: ${String(error)}\n`)
    }
  }
}

async function outcomeOf(child: ChildProcess, command: Command, isolation: Isolation | null): Promise<CommandOutcome> {
  let output = ''
  let timedOut = false
  const collect = (text: string): void => {
    output = (output + text).slice(-outputMax)
  }
  // A character may lie in two reads: the stream puts it together.
  child.stdout?.setEncoding('utf8').on('data', collect)
  child.stderr?.setEncoding('utf8').on('data', collect)
  const terminate = (): void => {
    endGroup(child, 'SIGTERM', null)
    killTimer = setTimeout(() => {
      endGroup(child, 'SIGKILL', isolation)
    }, command.graceMs ?? 10_000)
  }
  let killTimer: NodeJS.Timeout | undefined
  const timer = setTimeout(() => {
    timedOut = true
    terminate()
  }, command.timeoutMs)
  const stop = (): void => {
    endGroup(child, 'SIGKILL', isolation)
  }
  command.signal?.addEventListener('abort', stop)
  const end = await new Promise<{ code: number | null; problem: string }>((resolve) => {
    child.once('error', (error) => {
      resolve({ code: null, problem: `could not start: ${error.message}` })
    })
    // `exit`, not `close`: a child that left its output open to others must not hold up the job.
    child.once('exit', (code, signal) => {
      const outcome = { code, problem: signal === null ? `exited with ${code}` : `was ended by ${signal}` }
      child.once('close', () => {
        resolve(outcome)
      })
      setTimeout(resolve, lastWordsMs, outcome)
    })
  })
  clearTimeout(timer)
  clearTimeout(killTimer)
  command.signal?.removeEventListener('abort', stop)
  command.signal?.throwIfAborted()
  const problem = timedOut ? `did not end within ${command.timeoutMs / 1000} s` : end.problem
  return { exitCode: timedOut ? null : end.code, timedOut, output, summary: summaryOf(problem, output) }
}

function endGroup(child: ChildProcess, signal: NodeJS.Signals, isolation: Isolation | null): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch (error) {
    // Nobody is left in the group: that is what was wanted.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
  isolation?.killAll()
}

function summaryOf(problem: string, output: string): string {
  const last = plainText(output.trim().split('\n').at(-1) ?? '', 300)
  return last === '' ? problem : `${problem}: ${last}`
}
