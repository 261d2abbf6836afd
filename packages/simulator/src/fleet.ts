import { tufKeyOf } from '@bascule/trust/keys.ts'
import type { Device, World } from './device/device.ts'
import { factsOf, hashFacts, newDevice } from './device/identity.ts'
import type { SimClock } from './drive/clock.ts'
import { lot } from './habit/lot.ts'
import type { Options } from './options.ts'

export function worldOf(options: Options, clock: SimClock): World {
  return {
    seed: options.seed,
    rates: options.faults,
    token: options.token,
    nominalBytes: options['package-mb'] * 1e6,
    intervalSeconds: options.interval ?? null,
    stamp: (ms) => clock.stamp(ms),
  }
}

const spreadSeconds = 30

/** The devices before their first word. Their moments are spread, because a real fleet never comes all at once. */
export function fleetOf(options: Options, clock: SimClock): Device[] {
  const { seed, online, enrolled } = options
  const nowMs = clock.nowMs()
  const spreadMs = (options.spread ?? options.interval ?? spreadSeconds) * 1000
  // Above everything an earlier run can have used: at most one request a millisecond.
  const requestSeq = Date.now()
  return Array.from({ length: options.devices }, (_, index) => {
    const firstMs = nowMs + spreadMs * lot(seed, 'first', index)
    const device = newDevice({ seed, index, online, firstMs, requestSeq })
    if (enrolled === undefined) return device
    return { ...device, state: 'active', directorKey: tufKeyOf(enrolled), factsHashTold: device.factsHash }
  })
}

/** One device as a row that a bench puts into the database by itself, instead of enrolling a hundred thousand. */
export function deviceLine(seed: number, device: Device): string {
  const facts = factsOf(seed, device)
  const { keyId, publicKey } = device.key
  return JSON.stringify({ keyId, publicKey, name: device.name, facts, factsHash: hashFacts(facts) })
}
