import { execFileSync } from 'node:child_process'
import { cpus, totalmem } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import {
  countCalls,
  prepareScenario,
  removeScenario,
  runPoint,
  type Fault,
  type Scenario,
  type ScenarioName,
} from './scenario.ts'

/**
 * The full matrix: every scenario, every fault, every durable call (or every n-th with `--every`) of the agent as it is
 * shipped. Prints one JSON summary; a violation makes the exit code 1.
 */
const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    every: { type: 'string', default: '1' },
    faults: { type: 'string', default: 'kill,ENOSPC,EIO,EROFS,power-all,power-bytes' },
    scenarios: { type: 'string', default: 'enrol-and-install,upgrade,health-fails,planned-back-out' },
    jobs: { type: 'string', default: '2' },
  },
})

interface Row {
  readonly scenario: ScenarioName
  readonly fault: Fault
  readonly calls: number
  readonly points: number
  readonly hit: number
  readonly outcomes: Readonly<Record<string, number>>
  readonly violations: { readonly at: number; readonly what: string[] }[]
}

async function runRow(scenario: Scenario, fault: Fault, calls: number): Promise<Row> {
  const step = Number(values.every)
  const points = Array.from({ length: Math.ceil(calls / step) }, (_none, index) => 1 + index * step)
  const outcomes: Record<string, number> = {}
  const violations: Row['violations'] = []
  let hit = 0
  const work = points.values()
  const worker = async (): Promise<void> => {
    for (const at of work) {
      const result = await runPoint(scenario, at, fault)
      outcomes[result.outcome] = (outcomes[result.outcome] ?? 0) + 1
      if (result.wasHit) hit += 1
      if (result.violations.length > 0) violations.push({ at, what: result.violations })
    }
  }
  await Promise.all(Array.from({ length: Number(values.jobs) }, async () => await worker()))
  return { scenario: scenario.name, fault, calls, points: points.length, hit, outcomes, violations }
}

// Standard output belongs to the summary alone.
execFileSync(process.execPath, [path.join(import.meta.dirname, '../../build.mjs')], { stdio: ['ignore', 2, 2] })
const startedMs = performance.now()
const rows: Row[] = []
for (const name of values.scenarios.split(',') as ScenarioName[]) {
  const scenario = await prepareScenario(name)
  try {
    const { calls } = await countCalls(scenario)
    for (const fault of values.faults.split(',') as Fault[]) {
      const row = await runRow(scenario, fault, calls)
      rows.push(row)
      process.stderr.write(`${JSON.stringify(row)}\n`)
    }
  } finally {
    removeScenario(scenario)
  }
}
const violations = rows.reduce((sum, row) => sum + row.violations.length, 0)
const summary = {
  points: rows.reduce((sum, row) => sum + row.points, 0),
  violations,
  seconds: Math.round((performance.now() - startedMs) / 1000),
  machine: {
    cpus: cpus().length,
    model: cpus()[0]?.model ?? '',
    memoryBytes: totalmem(),
    node: process.version,
    platform: process.platform,
  },
  rows,
}
process.stdout.write(`${JSON.stringify(summary, null, values.json === true ? 0 : 2)}\n`)
process.exitCode = violations === 0 ? 0 : 1
