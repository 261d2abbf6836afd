import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import type { FuzzTally } from '@bascule/trust/testing/run-fuzz.ts'
import { root } from './lib/root.ts'

/**
 * `npm run fuzz`: random changes of everything that boards, director and signer sign, against what a device verifies,
 * and then the API fuzzer of `npm test` for longer; from another seed each time. `--seed` tries the same again,
 * `--runs` says how many changes, `--seconds` how long the API, `--only trust` or `--only api` leaves the other out.
 * Fails when a device would install what nobody signed.
 */
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '20000' },
    seed: {
      type: 'string',
      default: process.env['FUZZ_SEED'] ?? String(Math.floor(Date.now() / 1000) % 1_000_000_000),
    },
    seconds: { type: 'string', default: process.env['FUZZ_SECONDS'] ?? '180' },
    only: { type: 'string', default: '' },
    workers: { type: 'string', default: String(Math.min(8, availableParallelism())) },
    json: { type: 'boolean', default: false },
  },
})
const [runs, seed, workers] = [values.runs, values.seed, values.workers].map(Number) as [number, number, number]
if (![runs, seed, workers].every(Number.isSafeInteger) || runs < 1 || workers < 1)
  throw new Error('--runs, --seed and --workers are whole numbers')

/** One line for programs, or the same for people. */
function say(line: Readonly<Record<string, unknown>>): void {
  const words = Object.entries(line).map(
    ([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  console.log(values.json ? JSON.stringify(line) : words.join(', '))
}

type Progress = Pick<FuzzTally, 'runs' | 'accepted' | 'refused'>

/** A process of its own with its own seed; what it counts comes line by line. */
async function workerRun(index: number, onProgress: (progress: Progress) => void): Promise<FuzzTally> {
  const share = Math.floor(runs / workers) + (index < runs % workers ? 1 : 0)
  const args = [join(root, 'scripts', 'fuzz-worker.ts'), String(share), String(seed + index)]
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<number | null>((resolve) => void child.once('exit', resolve))
  let tally: FuzzTally | undefined
  for await (const line of createInterface({ input: child.stdout })) {
    const told = JSON.parse(line) as Progress | FuzzTally
    onProgress(told)
    if ('unauthorised' in told) tally = told
  }
  const code = await ended
  if (!tally) throw new Error(`Fuzzing from seed ${seed + index}: the worker ended with ${code} and no result`)
  return tally
}

async function fuzzTrust(): Promise<boolean> {
  const startedAt = performance.now()
  const counts = new Map<number, Progress>()
  const total = () => {
    const all = [...counts.values()]
    const sum = (of: keyof Progress) => all.reduce((so, one) => so + one[of], 0)
    const seconds = (performance.now() - startedAt) / 1000
    return {
      runs: sum('runs'),
      accepted: sum('accepted'),
      refused: sum('refused'),
      seconds: Math.round(seconds),
      runsPerSecond: Math.round(sum('runs') / seconds),
    }
  }
  say({ stage: 'trust', event: 'start', seed, runs, workers })
  const report = setInterval(() => say({ stage: 'trust', event: 'progress', ...total() }), 10_000)
  const tallies = await Promise.all(
    Array.from({ length: workers }, (_none, index) => workerRun(index, (told) => counts.set(index, told))),
  ).finally(() => clearInterval(report))
  const found = tallies.filter((tally) => tally.unauthorised !== null)
  for (const { seed: from, unauthorised } of found)
    say({ stage: 'trust', event: 'unauthorised', seed: from, ...unauthorised })
  say({ stage: 'trust', event: 'end', seed, ...total(), unauthorised: found.length })
  return found.length === 0
}

async function fuzzApi(): Promise<boolean> {
  const seconds = Number(values.seconds)
  say({ stage: 'api', event: 'start', seed, seconds })
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const args = [vitest, 'run', '--project', 'pg', 'packages/server/src/platform/http/fuzz']
  const env = { ...process.env, FUZZ_SECONDS: String(seconds), FUZZ_SEED: String(seed) }
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<number | null>((resolve) => void child.once('exit', resolve))
  const [output, code] = await Promise.all([text(child.stdout), ended])
  if (!values.json || code !== 0) process.stderr.write(output)
  say({ stage: 'api', event: 'end', seed, ok: code === 0 })
  return code === 0
}

const stages = { trust: fuzzTrust, api: fuzzApi }
let isGood = true
for (const [name, stage] of Object.entries(stages)) {
  if (values.only === '' || values.only === name) isGood = (await stage()) && isGood
}
process.exitCode = isGood ? 0 : 1
