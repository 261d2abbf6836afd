import { execFileSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import { basename } from 'node:path'

/** What the operating system knows of a process. `startedAt` tells it from a later process with the same number. */
export interface ProcessLook {
  readonly state: string
  readonly name: string
  readonly startedAt: string
  /** Its working folder, where the system tells. */
  readonly folder: string | undefined
}

/** A process as it is now, or undefined when there is none that can still act: a zombie counts as gone. */
export function lookAtProcess(pid: number): ProcessLook | undefined {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined
  const look = process.platform === 'linux' ? lookInProc(pid) : lookWithPs(pid)
  return look === undefined || look.state.startsWith('Z') || look.state.startsWith('X') ? undefined : look
}

function lookInProc(pid: number): ProcessLook | undefined {
  const stat = readOrNothing(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
  if (stat === undefined) return undefined
  // The name stands in parentheses and may itself hold spaces and parentheses, so the last one ends it.
  const nameEnd = stat.lastIndexOf(')')
  const fields = stat.slice(nameEnd + 2).split(' ')
  const boot = readOrNothing(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()) ?? ''
  return {
    state: fields[0] ?? '',
    name: stat.slice(stat.indexOf('(') + 1, nameEnd),
    startedAt: `${boot}:${fields[19] ?? ''}`,
    folder: readOrNothing(() => readlinkSync(`/proc/${pid}/cwd`)),
  }
}

function lookWithPs(pid: number): ProcessLook | undefined {
  // `lstart` is five words, as in "Mon Nov 23 18:01:00 2026".
  const line = readOrNothing(() => runPs(['-o', 'state=,lstart=,comm=', '-p', String(pid)]))
  const words = line?.trim().split(/\s+/) ?? []
  const [state, ...rest] = words
  if (state === undefined || rest.length < 6) return undefined
  return {
    state,
    name: basename(rest.slice(5).join(' ')),
    startedAt: rest.slice(0, 5).join(' '),
    folder: undefined,
  }
}

function runPs(args: readonly string[]): string {
  const env = { ...process.env, LC_ALL: 'C' }
  return execFileSync('ps', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], env })
}

/** The answer, or undefined: a process may end between any two looks, and then there is nothing to read. */
function readOrNothing<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
