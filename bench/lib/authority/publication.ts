import { existsSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { devicePaths } from '@bascule/contract/device/protocol.ts'
import { buildDemoPackages } from '#demo/package/build-demo-packages.ts'
import { startAgent } from '#scripts/lib/agent-process.ts'
import type { Board } from '#scripts/lib/board.ts'
import { buildAgent } from '#scripts/lib/build.ts'
import { root } from '#scripts/lib/root.ts'
import { until } from '#scripts/start/until.ts'
import { createInstallation, type Installation } from '../installation.ts'
import { cpuSecondsOf, print, spreadOf } from '../report.ts'
import type { Published } from './first-contact.ts'

const runs = 5
const everySeconds = 0.25
const restCheckIns = 20
/** How often this bench looks; no time below is known more exactly. */
const lookMs = 10

interface Run {
  readonly commandMs: number
  readonly publishedMs: number
  readonly startableMs: number
  readonly receiptMs: number
  readonly fetched: number
  readonly checks: number
}

interface Agent {
  readonly pid: number
  /** What it has done so far: `check` for a signature check, and the path of each request. */
  done(): readonly string[]
}

/** An installation with a board of one, one real agent, and the releases of the measurement let out. */
export async function benchPublication(): Promise<Published & AsyncDisposable> {
  await using held = new AsyncDisposableStack()
  await buildAgent()
  const installation = held.use(await createInstallation(0))
  const versions = await pushVersions(installation)
  const board = await installation.board()
  const agent = await enrolAgent(installation, held)
  const measured: Run[] = []
  await letOut(installation, board, agent, versions[1]) // Warm code.
  for (let at = 0; at < runs; at += 1) {
    measured.push(await letOut(installation, board, agent, versions[at % 2 === 0 ? 0 : 1]))
  }
  sayRuns(measured)
  await benchRest(agent)
  const { items } = await installation.api.get<{ items: { code: string }[] }>('/decide/boards')
  const all = held.move()
  const url = installation.server.url.replace('localhost', '127.0.0.1')
  return { url, board: items[0]?.code ?? '', line: 'sales-desk', [Symbol.asyncDispose]: () => all.disposeAsync() }
}

/** Two versions of real software, so that every run installs something. */
async function pushVersions({ api, folder }: Installation): Promise<readonly [string, string]> {
  const [old, next] = await buildDemoPackages(join(folder, 'packages'))
  if (!old || !next) throw new Error('The demo has no longer two versions.')
  for (const { tar } of [old, next]) {
    await api.send('POST', '/library/import', 'application/x-tar', await readFile(tar))
  }
  return [old.version, next.version]
}

async function enrolAgent({ api, server, folder }: Installation, held: AsyncDisposableStack): Promise<Agent> {
  const { token } = await api.post<{ token: string }>('/estate/enrolment-tokens', { label: 'bench', autoApprove: true })
  const file = join(folder, 'agent-counts')
  const agent = await startAgent({
    name: 'bench-1',
    folder: join(folder, 'agent'),
    serverUrl: server.url,
    token,
    everyS: everySeconds,
    preload: pathToFileURL(join(root, 'bench', 'lib', 'count-crypto.ts')).href,
    env: { BENCH_COUNTS: file },
  })
  held.defer(async () => await agent.stop())
  await until('the agent has enrolled', async () => {
    return (await api.get<{ active: number }>('/devices/count?query=')).active === 1
  })
  return { pid: agent.pid, done: () => (existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : []) }
}

/** One release from the member's signature to the receipt of the first device. */
async function letOut({ api, server }: Installation, board: Board, agent: Agent, version: string): Promise<Run> {
  const releaseId = await planVersion(api, version)
  const caseId = await board.ask(releaseId)
  const snapshot = await snapshotOf(server.url)
  const countBefore = agent.done().length
  const commandStartedAt = Date.now()
  const signing = board.member.run('sign', caseId, '--yes').then(() => Date.now())
  const publishedAt = await look(async () => (await snapshotOf(server.url)) > snapshot)
  const startableAt = await look(async () => {
    return (await api.get<{ state: string }>(`/releases/${releaseId}`)).state === 'authorised'
  })
  await api.post(`/releases/${releaseId}/rollout/start`, {})
  const receiptAt = await look(async () => {
    const { phases } = await api.get<{ phases: { tally: { verified: number } }[] }>(`/releases/${releaseId}/rollout`)
    return phases[0]?.tally.verified === 1
  })
  const done = agent.done().slice(countBefore)
  const signedAt = await signedAtOf(api, caseId)
  return {
    commandMs: (await signing) - commandStartedAt,
    publishedMs: publishedAt - signedAt,
    startableMs: startableAt - signedAt,
    receiptMs: receiptAt - signedAt,
    fetched: done.filter(isMetadata).length,
    checks: done.filter((what) => what === 'check').length,
  }
}

async function planVersion(api: Installation['api'], version: string): Promise<string> {
  const { releaseId } = await api.post<{ releaseId: string }>('/releases', {
    title: `esbuild ${version}`,
    version,
    productLine: 'sales-desk',
    packages: [{ name: 'esbuild', version }],
    audience: { query: '', mode: 'frozen' },
    verifyLevel: 4,
    phases: [{ name: 'All', query: '', advanceAtPermille: 1000, soakSeconds: 0 }],
  })
  return releaseId
}

/** When the server took the signature; its clock is the one of this machine. */
async function signedAtOf(api: Installation['api'], caseId: string): Promise<number> {
  const { draft } = await api.get<{ draft: { documents: { signatures: { at: string }[] }[] } }>(
    `/decide/cases/${caseId}`,
  )
  const times = draft.documents.flatMap(({ signatures }) => signatures.map(({ at }) => Date.parse(at)))
  return Math.max(...times)
}

async function snapshotOf(url: string): Promise<number> {
  const answer = await fetch(`${url}/tuf/timestamp.json`)
  const { signed } = (await answer.json()) as { signed: { meta: { 'snapshot.json': { version: number } } } }
  return signed.meta['snapshot.json'].version
}

async function look(isThere: () => Promise<boolean>): Promise<number> {
  const endsAt = Date.now() + 60_000
  while (!(await isThere())) {
    if (Date.now() > endsAt) throw new Error('Waited a minute in vain.')
    await pause(lookMs)
  }
  return Date.now()
}

function isMetadata(what: string): boolean {
  return what.startsWith(devicePaths.tuf(''))
}

function sayRuns(of: readonly Run[]): void {
  const spread = (pick: (run: Run) => number) => spreadOf(of.map(pick))
  print({
    bench: 'authority',
    what: 'from the last signature',
    agentAsksEveryMs: everySeconds * 1000,
    publishedMs: spread((run) => run.publishedMs),
    releaseMayStartMs: spread((run) => run.startableMs),
    firstVerifiedReceiptMs: spread((run) => run.receiptMs),
  })
  print({
    bench: 'authority',
    what: 'beside it: the whole command `bascule sign`, with review',
    ms: spread((run) => run.commandMs),
  })
  print({
    bench: 'authority',
    what: 'the agent, per installed release',
    metadataRequests: spread((run) => run.fetched),
    signatureChecks: spread((run) => run.checks),
  })
}

interface Rest {
  readonly cpuMsPerCheckIn: number
  readonly done: readonly string[]
}

/** The agent has installed and nothing is new: what do its check-ins cost? */
async function benchRest(agent: Agent): Promise<void> {
  await untilAtRest(agent)
  const rests: Rest[] = []
  for (let at = 0; at < runs; at += 1) rests.push(await rest(agent))
  const done = rests.flatMap((one) => one.done)
  print({
    bench: 'authority',
    what: 'check-ins of the agent with nothing new',
    checkIns: done.filter(isCheckIn).length,
    metadataRequests: done.filter(isMetadata).length,
    signatureChecks: done.filter((what) => what === 'check').length,
    otherRequests: done.filter((what) => what.startsWith('/') && !isMetadata(what) && !isCheckIn(what)).length,
    cpuMsPerCheckIn: spreadOf(rests.map((one) => one.cpuMsPerCheckIn)),
  })
}

async function rest(agent: Agent): Promise<Rest> {
  const [from, cpuBefore] = [agent.done().length, cpuSecondsOf(agent.pid)]
  const since = (): readonly string[] => agent.done().slice(from)
  const isEnough = () => Promise.resolve(since().filter(isCheckIn).length >= restCheckIns)
  await until('the agent has asked often enough', isEnough)
  const cpuMs = (cpuSecondsOf(agent.pid) - cpuBefore) * 1000
  const done = since()
  return { cpuMsPerCheckIn: cpuMs / done.filter(isCheckIn).length, done }
}

function isCheckIn(what: string): boolean {
  return what === devicePaths.checkIn
}

/** Reports of the last installation have left the device. */
async function untilAtRest(agent: Agent): Promise<void> {
  await until('the agent is at rest', async () => {
    const before = agent.done().length
    await pause(5 * everySeconds * 1000)
    return agent.done().slice(before).every(isCheckIn)
  })
}
