import { createInstallation, directorKeyOf, simulate, type Installation } from './lib/installation.ts'
import { planRelease, startRollout, untilFirstPhaseOpens } from './lib/release.ts'
import { cpuSecondsOf, print, printMachine, round, spreadOf } from './lib/report.ts'

/**
 * Reports that are durable before they are acknowledged, each in a signed request of its own: devices take a job of a
 * running rollout, tell many times that they wait, install, and send a signed receipt. Beside it, in turns, the same
 * over a single connection, where every report is a transaction of its own.
 */
const fleets = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [10_000, 100_000]
const runs = 3

interface Load {
  readonly connections: number
  /** Reports of each device beside the one with its receipt. */
  readonly flaps: number
}
/** The same devices in every run, so that none has work left from the run before. */
const devices = 60
const together: Load = { connections: 64, flaps: 60 }
const alone: Load = { connections: 1, flaps: 4 }

interface Measured {
  readonly perSecond: number
  readonly serverCpuUs: number
  readonly p50Ms: number
  readonly p99Ms: number
}

async function measure(installation: Installation, director: string, load: Load): Promise<Measured> {
  const { server, api } = installation
  const releaseId = await planRelease(api, [{ name: 'All', inFlightMax: 1_000_000, failureBudget: 1_000_000 }])
  const board = await installation.board()
  await board.letOut(releaseId)
  await startRollout(api, releaseId)
  await untilFirstPhaseOpens(api, releaseId)
  const cpuBefore = cpuSecondsOf(server.process.pid)
  const said = await simulate(server.url.replace('localhost', '127.0.0.1'), {
    connections: load.connections,
    flaps: load.flaps,
    devices,
    enrolled: director,
    interval: 3600,
    spread: 0,
    speed: 1000,
    jobs: devices,
    'package-mb': 1,
  })
  if (said.outcomes['committed'] !== devices) throw new Error(`Not every device installed: ${JSON.stringify(said)}`)
  return {
    perSecond: said.reportsAcked / said.seconds,
    serverCpuUs: ((cpuSecondsOf(server.process.pid) - cpuBefore) * 1e6) / said.reportsAcked,
    p50Ms: said.latencyMs.p50,
    p99Ms: said.latencyMs.p99,
  }
}

function spreads(of: readonly Measured[]) {
  return {
    perSecond: spreadOf(of.map((one) => one.perSecond)),
    serverCpuUs: spreadOf(of.map((one) => one.serverCpuUs)),
    p50Ms: spreadOf(of.map((one) => one.p50Ms)),
    p99Ms: spreadOf(of.map((one) => one.p99Ms)),
  }
}

printMachine('reports')
for (const fleet of fleets) {
  await using installation = await createInstallation(fleet)
  const director = await directorKeyOf(installation)
  const grouped: Measured[] = []
  const single: Measured[] = []
  await measure(installation, director, alone) // Warm code.
  for (let at = 0; at < runs; at += 1) {
    grouped.push(await measure(installation, director, together))
    single.push(await measure(installation, director, alone))
  }
  const [many, one] = [spreads(grouped), spreads(single)]
  print({ bench: 'reports', devices: fleet, what: '64 connections', reporting: devices, ...many })
  print({ bench: 'reports', devices: fleet, what: '1 connection', reporting: devices, ...one })
  print({
    bench: 'reports',
    devices: fleet,
    what: 'ratio of medians, together to alone',
    perSecond: round(many.perSecond.median / one.perSecond.median),
    serverCpu: round(many.serverCpuUs.median / one.serverCpuUs.median),
  })
}
