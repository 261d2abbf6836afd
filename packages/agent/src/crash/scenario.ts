import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { isTerminalStep } from '@bascule/domain/deliver/agent-step.ts'
import { keyPairFromPem } from '@bascule/trust/keys.ts'
import { startAgent, type AgentProcess } from '#/testing/agent-process.ts'
import { problemsOfMemory, versionOnDisk, versionsThatFell, violationsOf } from './examine.ts'
import { cutPower, readTrace, type Loss, type TraceOp } from './power-cut.ts'
import { lineRole } from '#/testing/test-board.ts'
import { customOf, makeRelease, type TestRelease } from '#/testing/test-release.ts'
import { emptyServerState, startTestServer, type ServerState, type TestServer } from '#/testing/test-server.ts'

export type ScenarioName = 'enrol-and-install' | 'upgrade' | 'health-fails' | 'planned-back-out'
export type Fault = 'kill' | 'ENOSPC' | 'EIO' | 'EROFS' | 'power-all' | 'power-bytes'

/** A device at rest, its server, and one job that is about to come. Copied afresh for every point. */
export interface Scenario {
  readonly name: ScenarioName
  readonly folder: string
  readonly base: string
  readonly state: ServerState
  readonly releases: readonly TestRelease[]
  readonly job: { readonly release: TestRelease; readonly id: string; readonly action: 'install' | 'back-out' }
  readonly versionAfter: Readonly<Record<string, string | null>>
  readonly versionsBefore: readonly (string | null)[]
}

export interface PointResult {
  readonly violations: string[]
  /** How the job ended, with the reason when a person is needed. */
  readonly outcome: string
  readonly starts: number
  readonly wasHit: boolean
}

export async function prepareScenario(name: ScenarioName): Promise<Scenario> {
  const folder = mkdtempSync(path.join(tmpdir(), 'bascule-crash-'))
  const base = path.join(folder, 'base')
  mkdirSync(base)
  const v1 = await makeRelease({ version: '1.0.0', counter: 1 })
  const v2 = await makeRelease({ version: '2.0.0', counter: 2 })
  const bad = await makeRelease({ version: '3.0.0', counter: 3, isHealthy: false })
  const state = emptyServerState()
  const before = name === 'enrol-and-install' ? [] : name === 'planned-back-out' ? [v1, v2] : [v1]
  for (const [index, release] of before.entries()) await installBase(base, state, release, String(index + 1))
  const release = name === 'enrol-and-install' ? v1 : name === 'health-fails' ? bad : v2
  const old = name === 'enrol-and-install' ? null : '1.0.0'
  const ends = {
    'enrol-and-install': { committed: '1.0.0' },
    upgrade: { committed: '2.0.0' },
    'health-fails': { 'rolled-back': '1.0.0' },
    'planned-back-out': { committed: '1.0.0' },
  }
  return {
    name,
    folder,
    base,
    state,
    releases: [v1, v2, bad],
    job: { release, id: '9', action: name === 'planned-back-out' ? 'back-out' : 'install' },
    versionAfter: ends[name],
    versionsBefore: [old, release.version],
  }
}

export function removeScenario(scenario: Scenario): void {
  rmSync(scenario.folder, { recursive: true, force: true })
}

async function installBase(base: string, state: ServerState, release: TestRelease, job: string): Promise<void> {
  await using server = await startTestServer(state)
  server.assign([{ release, custom: customOf(release, job) }])
  const agent = startAgent({ ...foldersOf(base), server: server.url, token: 'token' })
  const isDone = await server.until(() => hasEnded(server, job), 30_000)
  await agent.stop()
  if (!isDone) throw new Error(`The base could not be installed: ${agent.errors()}`)
}

function foldersOf(work: string) {
  return { data: path.join(work, 'data'), root: path.join(work, 'root') }
}

/** How many durable calls a run without any fault makes, and what they were. */
export async function countCalls(scenario: Scenario): Promise<{ calls: number; trace: TraceOp[] }> {
  const work = mkdtempSync(path.join(scenario.folder, 'count-'))
  cpSync(scenario.base, work, { recursive: true, verbatimSymlinks: true })
  const trace = path.join(scenario.folder, `${path.basename(work)}.trace`)
  await using server = await serverFor(scenario)
  const env = { BASCULE_FAULT: 'count', BASCULE_TRACE: trace }
  const agent = startAgent({ ...foldersOf(work), server: server.url, token: 'token', env })
  await server.until(() => hasEnded(server, scenario.job.id), 30_000)
  await settle(server)
  await agent.stop()
  const calls = /durable calls: (\d+)/.exec(agent.errors())?.[1]
  if (calls === undefined) throw new Error(`The run without a fault did not end well: ${agent.errors()}`)
  return { calls: Number(calls), trace: readTrace(trace) }
}

/** Runs the job with one fault at one durable call and restarts the agent, as its supervisor does, until all is quiet. */
export async function runPoint(
  scenario: Scenario,
  at: number,
  fault: Fault,
  change: (trace: TraceOp[]) => TraceOp[] = (trace) => trace,
): Promise<PointResult> {
  const work = mkdtempSync(path.join(scenario.folder, `${fault}-${at}-`))
  cpSync(scenario.base, work, { recursive: true, verbatimSymlinks: true })
  const trace = `${work}.trace`
  const isPower = fault.startsWith('power-')
  const env = {
    BASCULE_FAULT: `${at}:${isPower ? 'kill' : fault}`,
    ...(isPower ? { BASCULE_TRACE: trace } : {}),
  }
  try {
    await using server = await serverFor(scenario)
    const first = startAgent({ ...foldersOf(work), server: server.url, token: 'token', env })
    const ended = await Promise.race([first.ended, quiet(server, scenario)])
    const violations: string[] = []
    if (ended === 'SIGKILL') {
      if (isPower) cutPower(work, scenario.base, change(readTrace(trace)), fault.replace('power-', '') as Loss)
      violations.push(...brokenAt(scenario, work), ...forgottenAt(scenario, server, work))
    }
    const starts = ended === 'quiet' ? await rest(first) : await restartUntilQuiet(scenario, server, work)
    violations.push(...examine(scenario, server, work))
    return {
      violations,
      outcome: outcomeOf(server, scenario.job.id),
      starts,
      wasHit: first.errors().includes('injected'),
    }
  } finally {
    rmSync(work, { recursive: true, force: true })
    rmSync(trace, { force: true })
  }
}

async function serverFor(scenario: Scenario): Promise<TestServer> {
  const { state, job } = scenario
  const devices = new Map([...state.devices].map(([id, device]) => [id, { ...device }]))
  const server = await startTestServer({ ...state, devices, reports: new Map(state.reports) })
  for (const release of scenario.releases) server.addBlobs(release)
  server.assign([{ release: job.release, custom: customOf(job.release, job.id, { action: job.action }) }])
  return server
}

function hasEnded(server: TestServer, job: string): boolean {
  return [...server.state.reports.values()].some((report) => report.job === job && isTerminalStep(report.step))
}

function isStuck(server: TestServer, job: string): boolean {
  return [...server.state.reports.values()].some((report) => report.job === job && report.step === 'needs-admin')
}

async function quiet(server: TestServer, scenario: Scenario): Promise<'quiet' | 'never'> {
  const { id } = scenario.job
  if (!(await server.until(() => hasEnded(server, id) || isStuck(server, id), 20_000))) return 'never'
  await settle(server)
  return 'quiet'
}

/** Two more check-ins: what is sent twice would have come by then. */
async function settle(server: TestServer): Promise<void> {
  const seen = server.checkIns.length
  await server.until(() => server.checkIns.length >= seen + 2, 5000)
}

async function rest(agent: AgentProcess): Promise<number> {
  await agent.stop()
  return 1
}

async function restartUntilQuiet(scenario: Scenario, server: TestServer, work: string): Promise<number> {
  for (let starts = 2; starts <= 6; starts += 1) {
    const agent = startAgent({ ...foldersOf(work), server: server.url, token: 'token' })
    const ended = await Promise.race([agent.ended, quiet(server, scenario)])
    await agent.stop()
    if (ended === 'quiet' || ended === 'never') return starts
  }
  return 7
}

/** Right after the blow, before anybody repairs anything: what `current` names must be whole already. */
function brokenAt(scenario: Scenario, work: string): string[] {
  const version = versionOnDisk(foldersOf(work).root, scenario.releases)
  if (scenario.versionsBefore.includes(version)) return []
  return [`right after the fault: ${version ?? 'nothing is installed'}`]
}

/** The newest file of the line permits the job: whoever acted on it must know it for ever, right after the fault too. */
function forgottenAt({ versionsBefore, releases, job }: Scenario, server: TestServer, work: string): string[] {
  const { data, root } = foldersOf(work)
  const version = versionOnDisk(root, releases)
  // In a back-out what is new is what came back.
  const isActedOn = version !== (job.action === 'back-out' ? versionsBefore[1] : versionsBefore[0])
  const newest = server.state.board.state.roles[lineRole]?.signed.version ?? 0
  const hasEndedWell = hasEnded(server, job.id)
  return isActedOn || hasEndedWell ? problemsOfMemory(data, { role: lineRole, version: newest }) : []
}

function examine(scenario: Scenario, server: TestServer, work: string): string[] {
  const { data, root } = foldersOf(work)
  const version = versionOnDisk(root, scenario.releases)
  const broken = [
    ...brokenAt(scenario, work),
    ...forgottenAt(scenario, server, work),
    ...versionsThatFell(server.checkIns),
  ]
  const keyFile = path.join(data, 'device.key')
  if (!existsSync(keyFile)) return [...broken, 'the device has no key']
  const { publicKey } = keyPairFromPem(readFileSync(keyFile, 'utf8'))
  const expected = { job: scenario.job.id, publicKey, versionAfter: scenario.versionAfter }
  return [...broken, ...violationsOf([...server.state.reports.values()], version, expected), ...server.contradictions]
}

function outcomeOf(server: TestServer, job: string): string {
  const own = [...server.state.reports.values()].filter((report) => report.job === job)
  const last = own.find(({ step }) => isTerminalStep(step)) ?? own.at(-1)
  if (!last) return 'silent'
  return last.stuck ? `${last.step}(${last.stuck.reason})` : last.step
}
