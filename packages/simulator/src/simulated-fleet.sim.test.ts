import { isTerminalStep } from '@bascule/domain/deliver/agent-step.ts'
import { expect, test } from 'vitest'
import type { Device, World } from './device/device.ts'
import { createAuthorities } from './drive/authorities.ts'
import { virtualClock } from './drive/clock.ts'
import { driveFleet } from './drive/drive-fleet.ts'
import { exchange } from './drive/exchange.ts'
import type { Http } from './drive/http-send.ts'
import { createReleases } from './drive/releases.ts'
import { createTally } from './drive/tally.ts'
import { newDevice } from './device/identity.ts'
import { type FaultRates, jobFaultsOf, noFaults } from './habit/faults.ts'
import { createResponder, type Responder } from './testing/responder.ts'

const startMs = Date.parse('2026-03-02T10:00:00Z')
const hourMs = 3_600_000

interface FleetOptions {
  readonly seed: number
  readonly rates?: Partial<FaultRates>
  readonly count?: number
  readonly hours?: number
  readonly isListed?: boolean
}

/** A fleet on a virtual clock with a responder; `run` lives so many simulated hours. */
function createFleet({ seed, rates = {}, count = 60, isListed = true }: FleetOptions) {
  const clock = virtualClock(startMs)
  const responder = createResponder(() => clock.stamp(clock.nowMs()), isListed)
  const http: Http = {
    post: async (path, headers, body) => responder.answer(path, headers, body),
    get: async (path) => responder.answer(path, {}, ''),
    [Symbol.dispose]() {},
  }
  const world: World = {
    seed,
    rates: { ...noFaults, ...rates },
    token: 'token',
    nominalBytes: 50e6,
    intervalSeconds: null,
    stamp: (ms) => clock.stamp(ms),
  }
  const devices = Array.from({ length: count }, (_, index) =>
    newDevice({ seed, index, online: 'always', firstMs: startMs + index * 10, requestSeq: 0 }),
  )
  const tally = createTally()
  const the = {
    world,
    clock,
    http,
    releases: createReleases(http, false),
    authorities: createAuthorities(http),
    tally,
    onAcked: () => {},
  }
  const run = async (hours: number): Promise<void> => {
    const endMs = clock.nowMs() + hours * hourMs
    const isOver = (): boolean => clock.nowMs() >= endMs
    const turn = (device: Device): Promise<Device> => exchange(the, device)
    await driveFleet({ devices, clock, turn, concurrency: 1, isOver, signal: new AbortController().signal })
  }
  return { world, devices, responder, tally, run }
}

function outcomesOf(responder: Responder): string[] {
  return [...responder.devices.values()].flatMap(({ reports }) =>
    reports.filter(({ step }) => isTerminalStep(step)).map(({ step }) => step),
  )
}

test('every device enrols, installs once and reports one receipt that it signed', async () => {
  const { responder, tally, run } = createFleet({ seed: 1 })
  await run(2)
  expect(responder.devices.size).toBe(60)
  expect(outcomesOf(responder)).toEqual(Array.from({ length: 60 }, () => 'committed'))
  expect(tally.outcomes).toEqual({ committed: 60 })
  expect(tally.problems).toEqual({})
})

test('the same seed gives the same requests byte for byte but for the nonce, another seed gives others', async () => {
  const rates = { health: 100, disk: 200, crash: 100, lostAck: 100, repeat: 100 }
  const logs = []
  for (const seed of [5, 5, 6]) {
    const { responder, run } = createFleet({ seed, rates, count: 20 })
    await run(2)
    logs.push(responder.log)
  }
  expect(logs[0]).toEqual(logs[1])
  expect(logs[0]).not.toEqual(logs[2])
})

test('exactly the devices whose health command fails go back, and say why in their receipt', async () => {
  const { world, responder, run } = createFleet({ seed: 2, rates: { health: 200 } })
  await run(2)
  const failing = Array.from({ length: 60 }, (_, device) =>
    jobFaultsOf(world.rates, world.seed, { device, release: 'R-1', attempt: 1 }),
  ).filter(({ failsHealth }) => failsHealth).length
  const rolledBack = [...responder.devices.values()].flatMap(({ reports }) =>
    reports.filter(({ step }) => step === 'rolled-back'),
  )
  expect(failing).toBeGreaterThan(3)
  expect(rolledBack).toHaveLength(failing)
  for (const { receipt } of rolledBack) {
    expect(receipt?.signed.cause).toContain('health command')
    expect(receipt?.signed.packages[0]?.after).toBeNull()
  }
})

test('a device with a full disk says so, waits and goes on by itself', async () => {
  const { responder, run } = createFleet({ seed: 3, rates: { disk: 1000 }, count: 10 })
  await run(2)
  for (const { reports } of responder.devices.values()) {
    expect(reports.map(({ step, wait }) => wait?.reason ?? step)).toEqual(['disk', 'committed'])
  }
})

test('lost answers and repeated requests never double a report', async () => {
  const { responder, tally, run } = createFleet({ seed: 4, rates: { lostAck: 500, repeat: 500 } })
  await run(2)
  expect(outcomesOf(responder)).toHaveLength(60)
  expect(tally.acksLost).toBeGreaterThan(10)
  expect(tally.repeated).toBeGreaterThan(10)
  expect(tally.repeatsAccepted).toBe(0)
})

test('a device that dies in the middle comes back and finishes; a silent one is never heard of again', async () => {
  const dying = createFleet({ seed: 5, rates: { crash: 1000 }, count: 20 })
  await dying.run(2)
  expect(outcomesOf(dying.responder)).toEqual(Array.from({ length: 20 }, () => 'committed'))
  for (const { reports } of dying.responder.devices.values()) expect(reports.at(-1)?.notes[0]).toContain('Interrupted')

  const silent = createFleet({ seed: 5, rates: { silent: 1000 }, count: 20 })
  await silent.run(2)
  expect(outcomesOf(silent.responder)).toEqual([])
})

test('a device asks before it installs and waits as long as the answer is no', async () => {
  const { responder, run } = createFleet({ seed: 6, count: 10 })
  responder.mayInstall = false
  await run(1)
  expect(outcomesOf(responder)).toEqual([])
  responder.mayInstall = true
  await run(1)
  expect(outcomesOf(responder)).toHaveLength(10)
})

test('a release that is taken back where nothing was before takes away what the install brought', async () => {
  const { devices, responder, run } = createFleet({ seed: 7, count: 10 })
  await run(1)
  expect(devices.every(({ installed }) => installed['page-builder']?.version === '2.0.0')).toBe(true)
  responder.orderAll('remove')
  await run(1)
  expect(devices.every(({ installed }) => installed['page-builder'] === undefined)).toBe(true)
  const actions = [...responder.devices.values()].flatMap(({ reports }) =>
    reports.map(({ receipt }) => receipt?.signed.action),
  )
  expect(actions.filter((action) => action === 'remove')).toHaveLength(10)
})

test('a device installs nothing that its board does not list, says why, and goes on when the board has signed', async () => {
  const { responder, run } = createFleet({ seed: 8, count: 10, isListed: false })
  await run(1)
  const said = [...responder.devices.values()].flatMap(({ reports }) => reports)
  expect(said.map(({ step, wait }) => [step, wait?.refusal?.code])).toEqual(
    Array.from({ length: 10 }, () => ['precheck', 'BOARD']),
  )
  responder.publish()
  await run(1)
  expect(outcomesOf(responder)).toHaveLength(10)
  const [device] = responder.devices.values()
  expect(device?.reports.at(-1)?.receipt?.signed.authorisedBy).toMatchObject({
    role: 'web.page-builder',
    version: 2,
    threshold: 1,
  })
})
