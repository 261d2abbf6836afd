import { expect, test } from 'vitest'
import { rootOf } from './attack.ts'
import { attacks } from './attacks.ts'
import { findTarget } from './independent-verifier.ts'
import {
  aRelease,
  custodians,
  emergencyMembers,
  first,
  forgeInto,
  goFor,
  honestWorld,
  members,
  nextVersion,
  now,
  publishInto,
  second,
  twoOf,
  withTarget,
} from './world.ts'
import type { RoleSigned } from '#/tuf/documents.ts'

const world = honestWorld()
const root = world.files.get('1.root.json') ?? Buffer.of()
const time = new Date(now.epochMilliseconds)
const third = aRelease({ counter: 3 })

function find(files: ReadonlyMap<string, Uint8Array>, path: string) {
  return findTarget((name) => files.get(name), root, path, time)
}

test('an exported repository verifies with a reader that shares no code with ours', () => {
  for (const release of [first, second]) {
    const { path, sha256, bytes } = release
    expect(find(world.files, path)).toEqual({ path, sha256, length: bytes.length, role: 'retail.pos' })
  }
})

test('two of three members are enough for it, and one is not', () => {
  const two = forgeInto(world, { 'retail.pos': goFor(world, third, twoOf(members)) })
  expect(find(two, third.path).sha256).toBe(third.sha256)
  const one = forgeInto(world, { 'retail.pos': goFor(world, third, members.slice(0, 1)) })
  expect(() => find(one, third.path)).toThrow('5.6.3: signed by 1 of 2')
})

test('it follows new roots, emergencies and texts in every script', () => {
  const urgent = aRelease({ counter: 3, kind: 'emergency' })
  const change = (signed: RoleSigned) => withTarget(signed, urgent.path, urgent.target)
  const emergency = nextVersion<RoleSigned>(world, 'retail.emergency', change, emergencyMembers)
  const later = publishInto(world, { root: rootOf(world, 2, custodians), 'retail.emergency': emergency })
  expect(find(later.files, urgent.path).role).toBe('retail.emergency')
  const reason = 'Zahlt "falsch" \\ 支払い 💥\nzweite Zeile'
  const custom = { kind: 'stop', productLine: 'pos', release: 'REL-0002', reason }
  const path = 'retail/pos/stop/REL-0002.json'
  const stop = (signed: RoleSigned) => withTarget(signed, path, { ...second.target, custom })
  const stopped = publishInto(world, { 'retail.stop': nextVersion<RoleSigned>(world, 'retail.stop', stop, members) })
  expect(find(stopped.files, path).role).toBe('retail.stop')
})

test('what is wrong by the specification alone, it refuses as well', async () => {
  const refused = attacks.filter(({ code, rule }) => rule === 'tuf-verifies' && code === 'QUORUM')
  expect(refused.length).toBeGreaterThan(5)
  for (const attack of refused) {
    const [files] = (await attack.arrange(world)).sources
    expect(() => find(files ?? new Map(), third.path), attack.name).toThrow(/signed by|skipped/)
  }
})
