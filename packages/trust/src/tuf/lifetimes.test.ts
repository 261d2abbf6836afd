import { expect, test } from 'vitest'
import { honestWorld, now } from '#/testing/world.ts'
import { lifetimeMax, renewalsDue } from './lifetimes.ts'

const world = honestWorld()

function documentsAt() {
  const { roles, root, snapshot, timestamp } = world.state
  const all = { root, snapshot, timestamp, ...roles }
  return Object.fromEntries(Object.entries(all).map(([role, { signed }]) => [role, { expires: signed.expires }]))
}

function dueAfter(days: number): string[] {
  return renewalsDue(documentsAt(), now.add({ hours: 24 * days })).map(
    ({ role, daysLeft, state }) => `${role} ${daysLeft} ${state}`,
  )
}

test('on the first day nothing is due but an emergency that was never needed for long', () => {
  expect(dueAfter(0)).toEqual([])
})

test('a line is told of a month before it ends, a root a quarter', () => {
  expect(dueAfter(151).filter((text) => text.startsWith('retail.pos'))).toEqual(['retail.pos 29 due'])
  expect(dueAfter(149).filter((text) => text.startsWith('retail.pos'))).toEqual([])
  expect(dueAfter(311).filter((text) => text.startsWith('root'))).toEqual(['root 89 due'])
})

test('what has expired comes first and says so', () => {
  expect(dueAfter(8).slice(0, 2)).toEqual(['timestamp -6 expired', 'snapshot -1 expired'])
  expect(dueAfter(8)).toContain('retail.emergency 6 due')
})

test('only a site without a network may live longer on one timestamp', () => {
  expect(lifetimeMax('timestamp').hours).toBe(48)
  expect(lifetimeMax('timestamp', 'air-gapped').hours).toBe(720)
  expect(lifetimeMax('line', 'air-gapped').hours).toBe(9600)
})
