import fc from 'fast-check'
import { expect, test } from 'vitest'
import { deviceActions, deviceStates, nextDeviceState } from './device-state.ts'
import { admitDevice } from './enrolment.ts'
import { isInNetwork, isNetwork } from './network.ts'
import { nextHabit, silentFromMs } from './silence.ts'

const now = Temporal.Instant.from('2026-11-23T08:00:00Z')
const token = { usesMax: 2, uses: 1, expiresAt: now.add({ hours: 1 }), revokedAt: null, fromNetwork: null }

test('a revoked or decommissioned device never becomes active again', () => {
  for (const state of ['revoked', 'decommissioned'] as const) {
    for (const action of deviceActions) {
      const next = nextDeviceState(state, action)
      expect(next.ok && next.value === 'active').toBe(false)
    }
  }
  expect(deviceStates.filter((state) => nextDeviceState(state, 'approve').ok)).toEqual(['pending'])
})

test('a good token lets a device in', () => {
  expect(admitDevice(token, '10.0.0.1', now).ok).toBe(true)
})

test.each([
  [undefined, 'token-unknown'],
  [{ ...token, revokedAt: now }, 'token-revoked'],
  [{ ...token, expiresAt: now }, 'token-expired'],
  [{ ...token, uses: 2 }, 'token-used-up'],
  [{ ...token, fromNetwork: '192.168.0.0/16' }, 'token-other-network'],
])('token %o is refused by %s', (terms, rule) => {
  expect(admitDevice(terms, '10.0.0.1', now)).toMatchObject({ ok: false, error: { rule } })
})

test.each([
  ['10.1.2.3', '10.1.0.0/16', true],
  ['10.2.2.3', '10.1.0.0/16', false],
  ['::ffff:10.1.2.3', '10.1.0.0/16', true],
  ['fd00::1', 'fd00::/8', true],
  ['fe80::1', 'fd00::/8', false],
  ['10.1.2.3', 'fd00::/8', false],
  ['anything', '0.0.0.0/0', false],
  ['1.2.3.4', '0.0.0.0/0', true],
])('%s in %s: %s', (address, network, inside) => {
  expect(isInNetwork(address, network)).toBe(inside)
})

test('a network is an address of its own with a length that fits', () => {
  expect(['10.0.0.0/8', '::/0', 'fd00::1:2/128'].every(isNetwork)).toBe(true)
  expect(['10.0.0.0', '10.0.0.0/33', '1::2::3/8', 'x/8', '256.1.1.1/8'].some(isNetwork)).toBe(false)
})

test('a device that keeps its time is never silent, however it drifts a little', () => {
  const pauses = fc.array(fc.integer({ min: 600, max: 1200 }), { minLength: 1, maxLength: 100 })
  fc.assert(
    fc.property(pauses, (seconds) => {
      let habit = 0
      let at = 0
      for (const pause of seconds) {
        expect(silentFromMs(at, habit, 900)).toBeGreaterThan(at + pause * 1000)
        at += pause * 1000
        habit = nextHabit(habit, pause)
      }
    }),
  )
})

test('a device that sleeps every night is given more time than one that never does', () => {
  const till = [900, 900, 900, 900].reduce(nextHabit, 0)
  const notebook = [900, 50_000, 900, 50_000].reduce(nextHabit, 0)
  expect(silentFromMs(0, notebook, 900)).toBeGreaterThan(silentFromMs(0, till, 900))
})
