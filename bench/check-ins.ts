import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { root } from '#scripts/lib/root.ts'
import { createInstallation, simulate } from './lib/installation.ts'
import { cpuSecondsOf, print, printMachine, round, spreadOf } from './lib/report.ts'

/**
 * Check-ins of devices with nothing to do, as fast as the server answers: real signed requests, each of another device
 * than the one before. Server and load share the machine's cores. Beside it, in turns with the same load, the least
 * that can answer at all.
 */
const fleets = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [10_000, 100_000]
const checkIns = 30_000
const runs = 3
/** Nothing is signed for these devices in this bench, so any key will do. */
const anyDirector = '0'.repeat(64)

interface Measured {
  readonly perSecond: number
  readonly serverCpuUs: number
  readonly loadCpuUs: number
  readonly p50Ms: number
  readonly p99Ms: number
}

async function measure(url: string, pid: number, devices: number): Promise<Measured> {
  const options = { devices, enrolled: anyDirector, interval: 0, 'check-ins': checkIns }
  const cpuBefore = cpuSecondsOf(pid)
  const said = await simulate(url.replace('localhost', '127.0.0.1'), options)
  return {
    perSecond: said.checkIns / said.seconds,
    serverCpuUs: ((cpuSecondsOf(pid) - cpuBefore) * 1e6) / said.checkIns,
    loadCpuUs: (said.cpuSeconds * 1e6) / said.checkIns,
    p50Ms: said.latencyMs.p50,
    p99Ms: said.latencyMs.p99,
  }
}

async function startBare(): Promise<{ url: string; pid: number; stop(): Promise<void> }> {
  const child = spawn(process.execPath, [join(root, 'bench', 'lib', 'bare-http.child.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  return {
    url: (JSON.parse(line) as { url: string }).url,
    pid: child.pid ?? 0,
    async stop() {
      child.kill('SIGTERM')
      await once(child, 'close')
    },
  }
}

function spreads(of: readonly Measured[]) {
  return {
    perSecond: spreadOf(of.map((one) => one.perSecond)),
    serverCpuUs: spreadOf(of.map((one) => one.serverCpuUs)),
    loadCpuUs: spreadOf(of.map((one) => one.loadCpuUs)),
    p50Ms: spreadOf(of.map((one) => one.p50Ms)),
    p99Ms: spreadOf(of.map((one) => one.p99Ms)),
  }
}

printMachine('check-ins')
for (const devices of fleets) {
  await using installation = await createInstallation(devices)
  const { server, startSeconds } = installation
  print({ bench: 'check-ins', devices, what: 'start of a server with this fleet', seconds: round(startSeconds) })
  const bare = await startBare()
  const ours: Measured[] = []
  const theirs: Measured[] = []
  await measure(server.url, server.process.pid, devices) // Warm code and warm connections.
  for (let at = 0; at < runs; at += 1) {
    ours.push(await measure(server.url, server.process.pid, devices))
    theirs.push(await measure(bare.url, bare.pid, devices))
  }
  await bare.stop()
  const [server_, bare_] = [spreads(ours), spreads(theirs)]
  print({ bench: 'check-ins', devices, what: 'server', checkInsPerRun: checkIns, ...server_ })
  print({ bench: 'check-ins', devices, what: 'bare node:http', checkInsPerRun: checkIns, ...bare_ })
  print({
    bench: 'check-ins',
    devices,
    what: 'ratio of medians, server to bare',
    perSecond: round(server_.perSecond.median / bare_.perSecond.median),
  })
}
