import { createAuthorities } from './drive/authorities.ts'
import { openHttp } from './drive/http-send.ts'
import { realClock } from './drive/clock.ts'
import { driveFleet } from './drive/drive-fleet.ts'
import { exchange } from './drive/exchange.ts'
import { createReleases } from './drive/releases.ts'
import { createTally, type Tally } from './drive/tally.ts'
import { deviceLine, fleetOf, worldOf } from './fleet.ts'
import { type Options, readOptions, usage } from './options.ts'
import type { Device } from './device/device.ts'

/**
 * Thousands of virtual devices that speak the real device API. Prints one JSON summary on standard output when it ends;
 * SIGTERM and Ctrl-C end it in order.
 */
const options = readOptions(process.argv.slice(2))
if (!options.ok) {
  console.error(`${options.error}\n\n${usage}`)
  process.exitCode = 2
} else if (options.value['print-devices']) {
  for (const device of fleetOf(options.value, realClock(1))) console.log(deviceLine(options.value.seed, device))
} else {
  await run(options.value)
}

async function run(options: Options): Promise<void> {
  using http = openHttp(options.server, options.connections)
  const clock = realClock(options.speed)
  const devices = fleetOf(options, clock)
  const tally = createTally()
  const releases = createReleases(http, options.bytes)
  const onAcked = options.acks ? printAck : () => {}
  const authorities = createAuthorities(http)
  const the = { world: worldOf(options, clock), clock, http, releases, authorities, tally, onAcked }
  const startedAt = performance.now()
  const cpu = process.cpuUsage()
  await driveFleet({
    devices,
    clock,
    turn: (device) => exchange(the, device),
    concurrency: options.connections,
    isOver: isOver(options, tally),
    signal: stopSignal(options),
  })
  const seconds = (performance.now() - startedAt) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const cpuSeconds = (user + system) / 1e6
  console.log(JSON.stringify(summary(options, devices, tally, seconds, cpuSeconds, releases.downloadedBytes())))
}

function printAck({ key, acked }: Device): void {
  console.log(JSON.stringify({ device: key.keyId, acked }))
}

function isOver(options: Options, tally: Tally): () => boolean {
  const { jobs = Infinity, 'check-ins': checkIns = Infinity } = options
  return () => tally.checkIns >= checkIns || (jobs < Infinity && endedJobs(tally) >= jobs)
}

function endedJobs({ outcomes }: Tally): number {
  return Object.values(outcomes).reduce((sum, devices) => sum + devices, 0)
}

function stopSignal(options: Options): AbortSignal {
  const stop = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort())
  return options.for === undefined
    ? stop.signal
    : AbortSignal.any([stop.signal, AbortSignal.timeout(options.for * 1000)])
}

function summary(
  options: Options,
  devices: readonly Device[],
  tally: Tally,
  seconds: number,
  cpuSeconds: number,
  downloadedBytes: number,
): object {
  const { latency, ...counts } = tally
  return {
    devices: devices.length,
    seed: options.seed,
    seconds: round(seconds),
    cpuSeconds: round(cpuSeconds),
    ...counts,
    jobsOpen: devices.reduce((sum, { jobs }) => sum + jobs.length, 0),
    silent: devices.filter(({ awayUntilMs }) => awayUntilMs === Infinity).length,
    unsent: devices.reduce((sum, { reports }) => sum + reports.length, 0),
    downloadedBytes,
    latencyMs: { p50: latency.quantile(0.5), p95: latency.quantile(0.95), p99: latency.quantile(0.99) },
  }
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000
}
