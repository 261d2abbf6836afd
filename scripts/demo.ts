import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createPrograms } from './lib/programs.ts'
import { startInstallation } from './start/installation.ts'
import type { Demo } from './start/demo.ts'
import { devices } from './start/demo-story.ts'
import { phaseLines } from './start/progress.ts'
import type { RolloutProgress } from './start/progress.ts'
import { watchRelease } from './start/watch.ts'

/**
 * `npm run demo`: the main job without a person, on a free port in a temporary folder. Ends with 0 when the release is
 * verified on every device, and leaves nothing behind. `--json` prints one summary and nothing else on standard output.
 */
const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, timeout: { type: 'string', default: '300' } },
})
const tell = values.json ? () => {} : console.log
const timeoutS = Number(values.timeout)

async function run(dataFolder: string): Promise<object> {
  const startedAt = performance.now()
  const programs = createPrograms()
  try {
    const { demo } = await startInstallation({ dataFolder, port: 0, demo: true, soakSeconds: 3 }, programs, tell)
    if (demo === undefined) throw new Error('The demo was not seeded.')
    const rollout = await Promise.race([finish(demo), brokenDown(programs.broken)])
    const seconds = Math.round((performance.now() - startedAt) / 100) / 10
    return { ...(await summary(demo, rollout)), seconds }
  } finally {
    await programs.stop()
  }
}

async function brokenDown(broken: Promise<string>): Promise<never> {
  throw new Error(await broken)
}

async function finish(demo: Demo): Promise<RolloutProgress> {
  let last = ''
  const show = (progress: RolloutProgress) => {
    const lines = phaseLines(progress).join('\n')
    if (lines !== last) tell(lines)
    last = `${lines}\n${progress.next}`
  }
  const end = await watchRelease(demo, { show, signal: AbortSignal.timeout(timeoutS * 1000) })
  if (end === undefined) throw new Error(`Not over after ${timeoutS} s:\n${last}`)
  if (end.state !== 'completed') throw new Error(`The release ended as ${end.state}:\n${last}`)
  return end
}

/** Asked from the product's own records, not from what we believe we did. */
async function summary({ api, state }: Demo, { phases }: RolloutProgress): Promise<object> {
  const verified = phases.reduce((sum, phase) => sum + phase.tally.verified, 0)
  const cmdbRows = await countCmdbRows(api, state.releaseId)
  if (verified !== devices.length) throw new Error(`${verified} of ${devices.length} devices are verified.`)
  if (cmdbRows !== verified) throw new Error(`${verified} devices are verified, and the CMDB has ${cmdbRows} rows.`)
  return { devices: devices.length, phases: phases.length, verified, cmdbRows }
}

interface Change {
  readonly change: string
}

/** Updates of the CMDB that this release's installations have made. */
async function countCmdbRows(api: Demo['api'], releaseId: string | undefined): Promise<number> {
  const { items } = await api.get<{ items: Change[] }>(`/estate/configuration/changes?release=${releaseId}&limit=500`)
  const installations = ['installed', 'updated', 'confirmed']
  return items.filter((one) => installations.includes(one.change)).length
}

const folder = mkdtempSync(join(tmpdir(), 'bascule-demo-'))
try {
  const done = await run(join(folder, 'data'))
  console.log(values.json ? JSON.stringify(done) : done)
} catch (cause) {
  const reason = (cause as Error).message
  console.log(values.json ? JSON.stringify({ failed: reason }) : `The demo failed: ${reason}`)
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
}
