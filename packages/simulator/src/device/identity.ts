import { hash } from 'node:crypto'
import type { Facts } from '@bascule/contract/device/protocol.ts'
import { canonicalJson } from '@bascule/trust/canonical.ts'
import { type KeyPair, keyPairFromSeed, sha256Hex } from '@bascule/trust/keys.ts'
import { habitOf, type OnlineKind } from '#/habit/habit.ts'
import { lot } from '#/habit/lot.ts'
import type { Device, Installed } from './device.ts'

export const agentVersion = '0.1.0-simulated'

/** The key of a device belongs to the seed and its number, so that the same device comes back in another run. */
export function keyOf(seed: number, index: number): KeyPair {
  return keyPairFromSeed(hash('sha256', `bascule simulated device\n${seed}\n${index}`, 'buffer'))
}

export function nameOf(seed: number, index: number): string {
  return `sim-${seed}-${String(index).padStart(6, '0')}`
}

/** Facts as an agent on such a machine would tell them, flat and dotted. */
export function factsOf(seed: number, device: Pick<Device, 'index' | 'name' | 'habit' | 'installed'>): Facts {
  const { index, name, habit, installed } = device
  const pick = <T>(question: string, choices: readonly [T, ...T[]]): T =>
    choices[Math.floor(lot(seed, question, index) * choices.length)] ?? choices[0]
  return {
    os: 'linux',
    'os.id': 'debian',
    'os.version': pick('os-version', ['11', '12', '12', '13']),
    arch: pick('arch', ['x64', 'x64', 'x64', 'arm64']),
    hostname: name,
    'cpu.count': pick('cpus', [2, 4, 4, 8, 16]),
    'memory.bytes': pick('memory', [4, 8, 8, 16, 32]) * 2 ** 30,
    'disk.free.bytes': habit.diskFreeBytes,
    'disk.total.bytes': 500_000_000_000,
    'agent.version': agentVersion,
    simulated: true,
    ...installedFacts(installed),
  }
}

function installedFacts(installed: Readonly<Record<string, Installed>>): Facts {
  return Object.fromEntries(Object.entries(installed).map(([name, { version }]) => [`package.${name}`, version]))
}

export function hashFacts(facts: Facts): string {
  return sha256Hex(canonicalJson(facts))
}

export interface DeviceOptions {
  readonly seed: number
  readonly index: number
  readonly online: OnlineKind
  /** The first check-in is at this moment of simulated time. */
  readonly firstMs: number
  /** Highest number that a signed request of this device can have had so far. */
  readonly requestSeq: number
}

/** A device that the server has yet to hear of. */
export function newDevice({ seed, index, online, firstMs, requestSeq }: DeviceOptions): Device {
  const name = nameOf(seed, index)
  const habit = habitOf(seed, index, online)
  return {
    index,
    name,
    habit,
    key: keyOf(seed, index),
    state: 'new',
    directorKey: null,
    requestSeq,
    generation: 0,
    assignment: null,
    jobs: [],
    attempts: {},
    finished: [],
    installed: {},
    lines: {},
    reports: [],
    reportHigh: 0,
    acked: 0,
    factsHash: hashFacts(factsOf(seed, { index, name, habit, installed: {} })),
    factsHashTold: '',
    nextCheckInMs: firstMs,
    awayUntilMs: 0,
    failedTries: 0,
  }
}
