import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import os from 'node:os'
import { root } from '#scripts/lib/root.ts'

/** What ran here: a number without its machine is worth nothing. */
function machine(): object {
  return {
    cpu: os.cpus()[0]?.model.trim(),
    cores: os.availableParallelism(),
    memoryGb: Math.round(os.totalmem() / 2 ** 30),
    kernel: os.release(),
    node: process.version,
  }
}

function revision(): string {
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim()
  return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '--', 'packages') === '' ? '' : '+')
}

/** First line of every bench: when, on what, and of which revision (`+`: with changes that are not committed). */
export function printMachine(bench: string): void {
  print({ bench, at: new Date().toISOString(), revision: revision(), machine: machine(), load: os.loadavg()[0] })
}

export function print(line: object): void {
  console.log(JSON.stringify(line))
}

export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
  readonly runs: number
}

/** Median of several runs, with the best and the worst of them: two cores that others use as well are noisy. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const median = sorted[Math.floor(sorted.length / 2)] ?? NaN
  return { median: round(median), min: round(sorted[0] ?? NaN), max: round(sorted.at(-1) ?? NaN), runs: sorted.length }
}

/** Three digits are more than two noisy cores can promise. */
export function round(value: number): number {
  return Number(value.toPrecision(value >= 1000 ? 4 : 3))
}

const ticksPerSecond = 100

/** CPU seconds that a process and all its children have used so far, from /proc: those that live, and those that ended and were waited for. */
export function cpuSecondsOf(pid: number): number {
  const fields = statOf(pid)
  if (!fields) return 0
  const own = fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / ticksPerSecond
  return childrenOf(pid).reduce((sum, child) => sum + cpuSecondsOf(child), own)
}

function statOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined // It has ended meanwhile.
  }
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
  } catch {
    return [] // It has ended meanwhile.
  }
}

/** Kilobytes of a process as /proc tells them: resident, its fair share of what is shared, and what is its own. */
export function memoryOf(pid: number): { rssMb: number; pssMb: number; privateMb: number } {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const kb = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? NaN)
  return {
    rssMb: round(kb('Rss') / 1024),
    pssMb: round(kb('Pss') / 1024),
    privateMb: round(kb('Private_Dirty') / 1024),
  }
}
