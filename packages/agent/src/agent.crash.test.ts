import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { isBuiltin } from 'node:module'
import path from 'node:path'
import { devicePaths } from '@bascule/contract/device/protocol.ts'
import { keyPairFromSeed } from '@bascule/trust/keys.ts'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { agentProgram, startAgent, type AgentStart } from './testing/agent-process.ts'
import { versionOnDisk } from './crash/examine.ts'
import type { TraceOp } from './crash/power-cut.ts'
import {
  countCalls,
  prepareScenario,
  removeScenario,
  runPoint,
  type Fault,
  type Scenario,
  type ScenarioName,
} from './crash/scenario.ts'
import { aFolder, anAgent, aRelay, aServerWith, buildAgent, endOf, stuckOf } from './testing/harness.ts'
import { customOf, makeRelease } from './testing/test-release.ts'
import type { TestServer } from './testing/test-server.ts'

/** These tests run the shipped file as a process, against a real server on a real disk. */
beforeAll(buildAgent)

const scenarios = new Map<ScenarioName, Scenario>()
afterAll(() => {
  for (const scenario of scenarios.values()) removeScenario(scenario)
})

async function scenarioOf(name: ScenarioName): Promise<Scenario> {
  const scenario = scenarios.get(name) ?? (await prepareScenario(name))
  scenarios.set(name, scenario)
  return scenario
}

interface Sample {
  readonly points: number
  readonly hit: number
  readonly violations: string[]
  readonly outcomes: Set<string>
}

async function sample(name: ScenarioName, fault: Fault, step: number, first = 1): Promise<Sample> {
  const scenario = await scenarioOf(name)
  const { calls } = await countCalls(scenario)
  const points = Array.from({ length: Math.ceil((calls - first + 1) / step) }, (_none, index) => first + index * step)
  const result = { points: points.length, hit: 0, violations: [] as string[], outcomes: new Set<string>() }
  const queue = points.values()
  const worker = async (): Promise<void> => {
    for (const at of queue) {
      const point = await runPoint(scenario, at, fault)
      if (point.wasHit) result.hit += 1
      result.outcomes.add(point.outcome)
      result.violations.push(...point.violations.map((text) => `call ${at}: ${text}`))
    }
  }
  await Promise.all([worker(), worker()])
  return result
}

/** Nearly every point must really have struck, or nothing was tested; the last calls depend on timing. */
function expectStruck(result: Sample): void {
  expect(result.points).toBeGreaterThan(5)
  expect(result.hit).toBeGreaterThanOrEqual(result.points - 2)
}

test('killed at every seventh durable call of an upgrade, the device always ends whole on the new version', async () => {
  const result = await sample('upgrade', 'kill', 7)
  expectStruck(result)
  expect(result.violations).toEqual([])
  expect([...result.outcomes]).toEqual(['committed'])
})

test('a full disk at every seventh durable call of an upgrade heals by itself', async () => {
  const result = await sample('upgrade', 'ENOSPC', 7, 2)
  expectStruck(result)
  expect(result.violations).toEqual([])
  expect([...result.outcomes]).toEqual(['committed'])
})

test('killed at every seventh durable call while a sick version is taken back, the old version runs whole', async () => {
  const result = await sample('health-fails', 'kill', 7, 3)
  expectStruck(result)
  expect(result.violations).toEqual([])
  expect([...result.outcomes]).toEqual(['rolled-back'])
})

test('a full disk at every seventh durable call while a sick version is taken back heals by itself', async () => {
  const result = await sample('health-fails', 'ENOSPC', 7, 4)
  expectStruck(result)
  expect(result.violations).toEqual([])
  expect([...result.outcomes]).toEqual(['rolled-back'])
})

test('a failing disk at every ninth durable call ends well or needs a person, with the old or new version whole', async () => {
  const result = await sample('upgrade', 'EIO', 9, 5)
  expect(result.violations).toEqual([])
  expect([...result.outcomes].filter((outcome) => !['committed', 'needs-admin(storage)'].includes(outcome))).toEqual([])
})

test('a power cut at every eighth durable call, with everything lost that was not synchronised, loses nothing', async () => {
  const results = [await sample('upgrade', 'power-all', 8), await sample('upgrade', 'power-bytes', 8, 4)]
  for (const result of results) expectStruck(result)
  expect(results.flatMap((result) => result.violations)).toEqual([])
})

test('a first start from nothing survives kills and power cuts while the device enrols', async () => {
  const results = [await sample('enrol-and-install', 'kill', 15), await sample('enrol-and-install', 'power-all', 15, 6)]
  for (const result of results) expectStruck(result)
  expect(results.flatMap((result) => result.violations)).toEqual([])
})

test('the harness has teeth: the same power cuts with the synchronising taken away are caught', async () => {
  const scenario = await scenarioOf('upgrade')
  const { calls } = await countCalls(scenario)
  const withoutSync = (trace: TraceOp[]) => trace.filter(({ op }) => op !== 'sync' && op !== 'sync-folder')
  const caught: string[] = []
  // From the switch on: an agent that never synchronised has by then told or activated what is not there.
  for (const at of [calls - 4, calls - 8, calls - 12, calls - 16]) {
    for (const fault of ['power-all', 'power-bytes'] as const) {
      caught.push(...(await runPoint(scenario, at, fault, withoutSync)).violations)
    }
  }
  expect(caught.some((text) => text.includes('broken') || text.includes('a lie') || text.includes('gaps'))).toBe(true)
})

test('with a poisoned source first and five cuts on the way the right bytes arrive, and the report says what happened', async () => {
  const release = await makeRelease({ version: '1.0.0', counter: 1, dataBytes: 900_000 })
  const server = await aServerWith(release)
  const biggest = [...release.blobs.values()].toSorted((a, b) => b.length - a.length)[0] ?? Buffer.alloc(0)
  const poison = await aRelay((_request, response) => {
    response.writeHead(200, { 'content-length': biggest.length }).end(Buffer.alloc(biggest.length, 66))
  })
  server.sources = [poison]
  let cuts = 0
  server.interfere = (request, response) => {
    const bytes = release.blobs.get(request.url?.split('/').at(-1) ?? '')
    if (!bytes || bytes.length !== biggest.length || cuts >= 5) return false
    cuts += 1
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
    const headers = start > 0 ? { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` } : {}
    response.writeHead(start > 0 ? 206 : 200, { 'content-length': bytes.length - start, ...headers })
    response.write(bytes.subarray(start, start + 150_000), () => response.socket?.destroy())
    return true
  }
  const folder = aFolder()
  anAgent({ ...folder, server: server.url, token: 'token' })
  expect(await server.until(() => endOf(server, '1') !== undefined, 20_000)).toBe(true)
  expect(endOf(server, '1')?.step).toBe('committed')
  expect(versionOnDisk(folder.root, [release])).toBe('1.0.0')
  const notes = endOf(server, '1')?.notes.join('\n') ?? ''
  expect(cuts).toBe(5)
  expect(notes).toContain('was cut 5 times and resumed')
  expect(notes).toContain(`${server.sources[0]} gave wrong bytes`)
})

const isRoot = process.getuid?.() === 0

test.runIf(isRoot)(
  'on a really full disk the job waits and says why, and goes on by itself when there is room',
  async () => {
    const folder = aFolder()
    const disk = path.join(folder.path, 'small')
    execFileSync('mkdir', [disk])
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', disk])
    onTestFinished(() => {
      execFileSync('umount', ['-l', disk])
    })
    const release = await makeRelease({ version: '1.0.0', counter: 1, dataBytes: 1_000_000 })
    const server = await aServerWith(release)
    server.gate = () => 'not before the disk is full'
    const start = { data: path.join(disk, 'data'), root: path.join(disk, 'root'), server: server.url, token: 'token' }
    await anAgentThatEnrols(start, server)
    // Not one byte is left: neither for a package nor for a record of what happens.
    spawnSync('dd', ['if=/dev/zero', `of=${path.join(disk, 'hog')}`, 'bs=64k'], { stdio: 'ignore' })
    server.gate = () => null
    server.assign([{ release, custom: customOf(release, '2') }])
    const agent = anAgent(start)
    expect(await server.until(() => waitsForDisk(server, '2'), 15_000)).toBe(true)
    const wait = [...server.state.reports.values()].find((report) => report.job === '2')?.wait
    expect(wait?.detail).toMatch(/Disk full, [\d.]+ MB needed, [\d.]+ MB free/)
    expect(agent.child.exitCode).toBeNull()

    rmSync(path.join(disk, 'hog'))
    expect(await server.until(() => endOf(server, '2') !== undefined, 15_000)).toBe(true)
    expect(endOf(server, '2')?.step).toBe('committed')
    expect(versionOnDisk(start.root, [release])).toBe('1.0.0')
    const told = [...server.state.reports.values()].filter(({ job }) => job === '2')
    expect(told.map(({ step, wait }) => wait?.reason ?? step)).toEqual(['disk', 'downloading', 'committed'])
    // The mount can only go when nobody works on it any more.
    await agent.stop()
  },
)

async function anAgentThatEnrols(start: AgentStart, server: TestServer): Promise<void> {
  const agent = startAgent(start)
  await server.until(() => server.checkIns.some(({ ask }) => ask.length > 0), 15_000)
  server.assign([])
  await server.until(() => endOf(server, '1')?.step === 'cancelled', 15_000)
  await agent.stop()
}

function waitsForDisk(server: TestServer, job: string): boolean {
  return [...server.state.reports.values()].some((report) => report.job === job && report.wait?.reason === 'disk')
}

test('a server that never says go holds the device at the gate, and a withdrawn job ends without a trace', async () => {
  const release = await makeRelease({ version: '1.0.0', counter: 1 })
  const server = await aServerWith(release)
  server.gate = () => 'The rollout is paused.'
  const folder = aFolder()
  anAgent({ ...folder, server: server.url, token: 'token' })
  await server.until(() => server.checkIns.some(({ jobs }) => jobs[0]?.wait?.reason === 'gate'), 15_000)
  const held = server.checkIns.findLast(({ jobs }) => jobs[0]?.wait)?.jobs[0]
  expect(held).toMatchObject({ step: 'ready', wait: { reason: 'gate', detail: 'The rollout is paused.' } })
  expect(versionOnDisk(folder.root, [release])).toBeNull()

  server.assign([])
  expect(await server.until(() => endOf(server, '1') !== undefined, 15_000)).toBe(true)
  expect(endOf(server, '1')?.step).toBe('cancelled')
  expect(versionOnDisk(folder.root, [release])).toBeNull()
})

test('an order of another director is not obeyed, and the server is told why', async () => {
  const release = await makeRelease({ version: '1.0.0', counter: 1 })
  const server = await aServerWith(release)
  server.signer = keyPairFromSeed(Buffer.alloc(32, 66))
  const folder = aFolder()
  anAgent({ ...folder, server: server.url, token: 'token' })
  expect(await server.until(() => stuckOf(server, '1') !== undefined, 15_000)).toBe(true)
  expect(stuckOf(server, '1')).toMatchObject({ reason: 'trust' })
  expect(server.checkIns.at(-1)).toMatchObject({ generation: 0, jobs: [] })
  expect(existsSync(folder.root)).toBe(false)
})

test('a package for an installer that this agent does not have is refused by its name', async () => {
  const release = await makeRelease({ version: '1.0.0', counter: 1, installer: 'msi' })
  const server = await aServerWith(release)
  anAgent({ ...aFolder(), server: server.url, token: 'token' })
  expect(await server.until(() => stuckOf(server, '1') !== undefined, 15_000)).toBe(true)
  expect(stuckOf(server, '1')).toEqual({
    reason: 'installer',
    detail: 'tool 1.0.0 needs the installer "msi", which this agent does not have.',
  })
})

test('a device for which no variant was built says so; facts of a trial file take the place of what was found', async () => {
  const release = await makeRelease({ version: '1.0.0', counter: 1 })
  const server = await aServerWith(release)
  const folder = aFolder()
  const facts = path.join(folder.path, 'facts.json')
  writeFileSync(facts, JSON.stringify({ os: 'windows', 'os.version': '11', 'package.salesdesk': '11.2' }))
  anAgent({ ...folder, server: server.url, token: 'token', facts })
  expect(await server.until(() => endOf(server, '1') !== undefined, 15_000)).toBe(true)
  expect(endOf(server, '1')?.receipt?.signed).toMatchObject({ outcome: 'not-applicable' })
  expect(endOf(server, '1')?.receipt?.signed.cause).toMatch(/^tool: No variant fits: linux/)
  expect(server.checkIns[0]?.facts).toMatchObject({ os: 'windows', 'package.salesdesk': '11.2' })
})

test('the same release again is found present without touching it, and what rotted on disk is put right beside it', async () => {
  const release = await makeRelease({ version: '1.0.0', counter: 1 })
  const server = await aServerWith(release)
  const folder = aFolder()
  anAgent({ ...folder, server: server.url, token: 'token' })
  await server.until(() => endOf(server, '1') !== undefined, 15_000)
  server.assign([{ release, custom: customOf(release, '2') }])
  await server.until(() => endOf(server, '2') !== undefined, 15_000)
  expect(endOf(server, '2')?.step).toBe('already-present')

  writeFileSync(path.join(folder.root, 'tool/current/share/data.bin'), 'rotten')
  expect(versionOnDisk(folder.root, [release])).toContain('broken')
  server.assign([{ release, custom: customOf(release, '3') }])
  await server.until(() => endOf(server, '3') !== undefined, 15_000)
  expect(endOf(server, '3')?.step).toBe('committed')
  expect(versionOnDisk(folder.root, [release])).toBe('1.0.0')
})

test('without the server a device installs only a release that allows it', async () => {
  const online = await makeRelease({ version: '1.0.0', counter: 1 })
  const offline = await makeRelease({ version: '2.0.0', counter: 2, change: { offlineInstall: true } })
  const server = await aServerWith(online)
  server.gate = () => 'The rollout is paused.'
  const folder = aFolder()
  anAgent({ ...folder, server: server.url, token: 'token' })
  const isReady = (job: string) => server.checkIns.some(({ ask }) => ask.includes(job))
  await server.until(() => isReady('1'), 15_000)
  let calls = 0
  const isDown: TestServer['interfere'] = (_request, response) => {
    calls += 1
    response.writeHead(503).end()
    return true
  }
  server.interfere = isDown
  // Several tries without an answer: long enough to have installed, had that been allowed.
  await server.until(() => calls >= 5, 15_000)
  expect(versionOnDisk(folder.root, [online, offline])).toBeNull()

  server.interfere = () => false
  server.assign([{ release: offline, custom: customOf(offline, '2') }])
  await server.until(() => isReady('2'), 15_000)
  server.interfere = isDown
  expect(await server.until(() => versionOnDisk(folder.root, [online, offline]) === '2.0.0', 15_000)).toBe(true)
})

test('a stopped agent is gone within a second, also out of a long sleep, and exits with 0', async () => {
  const release = await makeRelease({ version: '1.0.0', counter: 1 })
  const server = await aServerWith(release)
  const agent = startAgent({ ...aFolder(), server: server.url, token: 'token', everySeconds: 3600 })
  await server.until(() => endOf(server, '1') !== undefined, 15_000)
  const beforeMs = performance.now()
  expect(await agent.stop()).toBe('0')
  expect(performance.now() - beforeMs).toBeLessThan(1000)
})

test('a second agent on the same data folder is refused with a sentence and its own exit code', async () => {
  const release = await makeRelease({ version: '1.0.0', counter: 1 })
  const server = await aServerWith(release)
  const folder = aFolder()
  anAgent({ ...folder, server: server.url, token: 'token' })
  await server.until(() => server.checkIns.length > 0, 15_000)
  const second = startAgent({ ...folder, server: server.url, token: 'token' })
  expect(await second.ended).toBe('75')
  expect(second.errors()).toContain('Another agent (process')

  const alias = path.join(folder.path, 'alias')
  symlinkSync(folder.data, alias)
  expect(await startAgent({ ...folder, data: alias, server: server.url }).ended).toBe('75')
})

test('a server that came back from a backup is told again what it lost, and nothing twice', async () => {
  const release = await makeRelease({ version: '1.0.0', counter: 1 })
  const server = await aServerWith(release)
  anAgent({ ...aFolder(), server: server.url, token: 'token' })
  await server.until(() => endOf(server, '1') !== undefined, 15_000)
  const told = JSON.stringify(endOf(server, '1'))
  server.state.reports.clear()
  server.state.epoch = 'epoch-2'
  expect(await server.until(() => endOf(server, '1') !== undefined, 15_000)).toBe(true)
  expect(JSON.stringify(endOf(server, '1'))).toBe(told)
  expect(server.contradictions).toEqual([])
})

test('a damaged journal is rebuilt from what is installed: the device knows its version and its report numbers again', async () => {
  const v1 = await makeRelease({ version: '1.0.0', counter: 1 })
  const v2 = await makeRelease({ version: '2.0.0', counter: 2 })
  const server = await aServerWith(v1)
  const folder = aFolder()
  const first = startAgent({ ...folder, server: server.url, token: 'token' })
  await server.until(() => endOf(server, '1') !== undefined, 15_000)
  await first.stop()
  for (const name of ['journal-a', 'journal-b']) {
    const file = path.join(folder.data, name)
    const bytes = readFileSync(file)
    bytes[40] = (bytes[40] ?? 0) ^ 0xff
    writeFileSync(file, bytes)
  }
  server.assign([{ release: v2, custom: customOf(v2, '2') }])
  anAgent({ ...folder, server: server.url })
  expect(await server.until(() => endOf(server, '2') !== undefined, 15_000)).toBe(true)
  expect(endOf(server, '2')).toMatchObject({ seq: 2, step: 'committed' })
  expect(endOf(server, '2')?.receipt?.signed.packages[0]).toMatchObject({ before: '1.0.0', after: '2.0.0' })
  const facts = server.checkIns.findLast((checkIn) => checkIn.facts)?.facts
  expect(facts?.['agent.journal']).toMatch(/^rebuilt at/)
})

test('a release is backed out to what the device kept, and its software can be removed', async () => {
  const v1 = await makeRelease({ version: '1.0.0', counter: 1 })
  const v2 = await makeRelease({ version: '2.0.0', counter: 2 })
  const server = await aServerWith(v1)
  const folder = aFolder()
  anAgent({ ...folder, server: server.url, token: 'token' })
  await server.until(() => endOf(server, '1') !== undefined, 15_000)
  server.assign([{ release: v2, custom: customOf(v2, '2') }])
  await server.until(() => endOf(server, '2') !== undefined, 15_000)
  server.assign([{ release: v2, custom: customOf(v2, '3', { action: 'back-out' }) }])
  await server.until(() => endOf(server, '3') !== undefined, 15_000)
  expect(endOf(server, '3')?.step).toBe('committed')
  expect(versionOnDisk(folder.root, [v1, v2])).toBe('1.0.0')
  server.assign([{ release: v1, custom: customOf(v1, '4', { action: 'remove' }) }])
  await server.until(() => endOf(server, '4') !== undefined, 15_000)
  expect(endOf(server, '4')?.receipt?.signed).toMatchObject({ action: 'remove', outcome: 'committed' })
  expect(versionOnDisk(folder.root, [v1, v2])).toBeNull()
})

test('an older release is refused by name although the director orders it', async () => {
  const v2 = await makeRelease({ version: '2.0.0', counter: 2 })
  const v1 = await makeRelease({ version: '1.0.0', counter: 1 })
  const server = await aServerWith(v1)
  server.assign([{ release: v2, custom: customOf(v2, '1') }])
  const folder = aFolder()
  anAgent({ ...folder, server: server.url, token: 'token' })
  await server.until(() => endOf(server, '1') !== undefined, 15_000)
  server.assign([{ release: v1, custom: customOf(v1, '2') }])
  const stuck = () => [...server.state.reports.values()].find(({ step }) => step === 'needs-admin')
  expect(await server.until(() => stuck() !== undefined, 15_000)).toBe(true)
  expect(stuck()).toMatchObject({
    job: '2',
    stuck: { reason: 'trust', refusal: { code: 'ROLLBACK', rule: 'counter-rises' } },
  })
  expect(stuck()?.stuck?.detail).toContain('has counter 1, not above 2 of release r2')
  expect(versionOnDisk(folder.root, [v1, v2])).toBe('2.0.0')
})

test.runIf(isRoot)(
  'on a disk that became read-only the agent still starts, checks in and says why it cannot work',
  async () => {
    const folder = aFolder()
    const disk = path.join(folder.path, 'small')
    execFileSync('mkdir', [disk])
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=20m', 'tmpfs', disk])
    onTestFinished(() => {
      execFileSync('umount', ['-l', disk])
    })
    const v1 = await makeRelease({ version: '1.0.0', counter: 1 })
    const v2 = await makeRelease({ version: '2.0.0', counter: 2 })
    const server = await aServerWith(v1)
    const start = { data: path.join(disk, 'data'), root: path.join(disk, 'root'), server: server.url, token: 'token' }
    const first = startAgent(start)
    await server.until(() => endOf(server, '1') !== undefined, 15_000)
    await first.stop()
    execFileSync('mount', ['-o', 'remount,ro', disk])
    server.assign([{ release: v2, custom: customOf(v2, '2') }])
    const agent = anAgent(start)
    const blind = () => server.checkIns.findLast(({ jobs }) => jobs[0]?.stuck)?.jobs[0]
    expect(await server.until(() => blind() !== undefined, 15_000)).toBe(true)
    expect(blind()).toMatchObject({ id: '2', step: 'received', stuck: { reason: 'journal' } })
    expect(blind()?.stuck?.detail).toContain('read-only file system')
    expect(versionOnDisk(start.root, [v1, v2])).toBe('1.0.0')

    execFileSync('mount', ['-o', 'remount,rw', disk])
    expect(await server.until(() => endOf(server, '2') !== undefined, 15_000)).toBe(true)
    expect(versionOnDisk(start.root, [v1, v2])).toBe('2.0.0')
    await agent.stop()
  },
)

test('status says in words what runs, what is waited for, why, since when and what ends it', async () => {
  const v1 = await makeRelease({ version: '1.0.0', counter: 1 })
  const v2 = await makeRelease({ version: '2.0.0', counter: 2 })
  const server = await aServerWith(v1)
  const folder = aFolder()
  anAgent({ ...folder, server: server.url, token: 'token' })
  await server.until(() => endOf(server, '1') !== undefined, 15_000)
  server.gate = () => 'Phase 1 holds: one device failed.'
  server.assign([{ release: v2, custom: customOf(v2, '2') }])
  await server.until(() => server.checkIns.some(({ jobs }) => jobs[0]?.wait?.reason === 'gate'), 15_000)
  const ask = (...args: string[]) =>
    spawnSync(process.execPath, [agentProgram, 'status', '--data', folder.data, ...args])
  const said = ask().stdout.toString('utf8')
  expect(said).toMatch(/^Device crash-test \([0-9a-f]{12}…\) of http/)
  expect(said).toMatch(/The agent runs \(process \d+\)\./)
  expect(said).toMatch(/The server has answered since 20/)
  expect(said).toContain('Authorised by the board: signed by 2 of 3 keys of company.tools, version 2.')
  expect(said).toMatch(/Runs tool 1\.0\.0 \(release r1, current\) since 20/)
  expect(said).toMatch(
    /Job 2, install of release r2 of [a-z-]+: waits since 20.*: Phase 1 holds: one device failed\. Goes on by itself when the server says go\./,
  )
  expect(JSON.parse(ask('--json').stdout.toString('utf8'))).toMatchObject({
    enrolled: true,
    runs: [{ package: 'tool', version: '1.0.0' }],
  })
  expect(spawnSync(process.execPath, [agentProgram, 'status', '--data', folder.root]).status).toBe(69)
  expect(spawnSync(process.execPath, [agentProgram, 'fly']).status).toBe(64)
})

test('the shipped file is one file of plain JavaScript that starts in a moment', () => {
  const text = readFileSync(agentProgram, 'utf8')
  const imports = [...text.matchAll(/^import .* from "([^"]+)"|\brequire\("([^"]+)"\)/gm)].map(
    ([, a, b]) => a ?? b ?? '',
  )
  expect(imports.filter((name) => !name.startsWith('node:') && !isBuiltin(name))).toEqual([])
  const quickestMs = (...args: string[]) =>
    Math.min(
      ...[1, 2, 3, 4, 5].map(() => {
        const beforeMs = performance.now()
        spawnSync(process.execPath, args)
        return performance.now() - beforeMs
      }),
    )
  // What Node itself needs depends on how busy the machine is, and is not ours.
  expect(quickestMs(agentProgram, 'help') - quickestMs('--eval', '0')).toBeLessThan(300)
})

test('the log tells a job from its arrival to its end in words, one line for each change, and why it went back', async () => {
  const v1 = await makeRelease({ version: '1.0.0', counter: 1 })
  const bad = await makeRelease({ version: '2.0.0', counter: 2, isHealthy: false })
  const server = await aServerWith(v1)
  server.gate = () => 'Phase 1 is not open.'
  const agent = anAgent({ ...aFolder(), server: server.url, token: 'token' })
  await server.until(() => server.checkIns.some(({ jobs }) => jobs[0]?.wait?.reason === 'gate'), 15_000)
  server.gate = () => null
  await server.until(() => endOf(server, '1') !== undefined, 15_000)
  server.assign([{ release: bad, custom: customOf(bad, '2') }])
  await server.until(() => endOf(server, '2') !== undefined, 15_000)
  await agent.stop()
  const lines = agent.errors().replaceAll(/^\S+ /gm, '')
  const told = (job: string) =>
    [...lines.matchAll(new RegExp(`^Job ${job}, install of release \\S+ of \\S+: (.*)$`, 'gm'))].map(([, text]) => text)
  expect(told('1')).toEqual([
    'was received and is looked at next.',
    'is being downloaded.',
    'is downloaded and is unpacked beside the running version next.',
    'is ready and asks the server whether it may install now.',
    'waits: Phase 1 is not open. Goes on by itself when the server says go.',
    'is being installed.',
    'is being made the running version.',
    'is installed and is being checked.',
    'is done and verified (tool 1.0.0 runs).',
  ])
  expect(told('2').slice(-2)).toEqual([
    expect.stringMatching(/^failed and is going back to the version before: tool: the health command/),
    expect.stringMatching(/^went back to the version before \(tool 1\.0\.0 runs\): tool: the health command/),
  ])
  expect(lines.match(/^The server answers/gm)).toHaveLength(1)
})

test('a device that waits for approval says so once, in its log and in its status, and goes on when it is approved', async () => {
  const release = await makeRelease({ version: '1.0.0', counter: 1 })
  const server = await aServerWith(release)
  let asked = 0
  server.interfere = (request, response) => {
    if (request.url !== devicePaths.checkIn) return false
    asked += 1
    response.writeHead(403, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ code: 'pending', message: 'Nobody has approved this device yet.' }))
    return true
  }
  const folder = aFolder()
  const agent = anAgent({ ...folder, server: server.url, token: 'token' })
  await server.until(() => asked >= 4, 15_000)
  const said = spawnSync(process.execPath, [agentProgram, 'status', '--data', folder.data]).stdout.toString('utf8')
  expect(said).toMatch(/Waits since 20\S+ until a person approves this device on the server\./)
  server.interfere = () => false
  expect(await server.until(() => endOf(server, '1') !== undefined, 15_000)).toBe(true)
  await agent.stop()
  expect(agent.errors().match(/Waits until a person approves/g)).toHaveLength(1)
})

test('the token comes from a file or the environment, and is read only while the device is not enrolled', async () => {
  const server = await aServerWith(await makeRelease({ version: '1.0.0', counter: 1 }))
  const folder = aFolder()
  const file = path.join(folder.path, 'token')
  const enrol = async (data: string, flags: string[], env: Record<string, string> = {}) => {
    const args = [
      'enrol',
      '--server',
      server.url,
      '--root',
      folder.root,
      '--name',
      'crash-test',
      '--data',
      data,
      ...flags,
    ]
    const child = spawn(process.execPath, [agentProgram, ...args], { env: { ...process.env, ...env } })
    let errors = ''
    child.stderr.on('data', (bytes: Buffer) => {
      errors += bytes.toString('utf8')
    })
    const [code] = (await once(child, 'close')) as [number]
    return { code, errors }
  }
  const missing = await enrol(folder.data, ['--token-file', file])
  expect(missing).toMatchObject({ code: 69 })
  expect(missing.errors).toMatch(/^bascule-agent: The enrolment token cannot be read: ENOENT.*$/m)
  writeFileSync(file, 'token\n', { mode: 0o600 })
  expect(await enrol(folder.data, ['--token-file', file])).toMatchObject({ code: 0 })
  rmSync(file)
  expect(await enrol(folder.data, ['--token-file', file])).toMatchObject({ code: 0 })
  const other = path.join(folder.path, 'other')
  expect(await enrol(other, [], { BASCULE_TOKEN: 'token' })).toMatchObject({ code: 0 })
  expect(await enrol(other, ['--token', 'a', '--token-file', file])).toMatchObject({ code: 64 })
  expect(server.state.devices.size).toBe(2)
})
