import { expect, test } from 'vitest'
import { signDocument } from '#/envelope.ts'
import { afterRefresh, backOutWorld, ordered, rootOf, stopping } from '#/testing/attack.ts'
import { ofAnotherBoard } from '#/testing/attacks/another-board.ts'
import { type Scenario, ask, askWith, honestScenario, installedOf, refresh, textOf } from '#/testing/scenario.ts'
import {
  type World,
  aRelease,
  anAssignment,
  anOrder,
  custodians,
  device,
  director,
  emergencyMembers,
  first,
  forgeInto,
  goFor,
  honestWorld,
  keyOf,
  members,
  nextVersion,
  now,
  online,
  openPhase,
  publicOf,
  publishInto,
  second,
  twoOf,
  withTarget,
} from '#/testing/world.ts'
import type { RoleSigned } from '#/tuf/documents.ts'
import { publish } from '#/tuf/publish.ts'
import { audiencePosition } from './audience-position.ts'
import { freshMemory, rememberInstalled, timeFloor } from './memory.ts'

const world = honestWorld()

async function answerOf(scenario: Scenario): Promise<string> {
  return textOf(await ask(scenario))
}

test('a fresh device installs what two of three members signed and the director ordered, and knows who they were', async () => {
  const answer = await ask(honestScenario(world))
  expect(textOf(answer)).toBe('yes')
  if (!answer.ok) return
  const { authorisedBy, ...authorised } = answer.authorised
  expect(authorised).toMatchObject({ action: 'install', path: second.path, generation: 5 })
  expect(authorisedBy).toMatchObject({ role: 'retail.pos', version: 2, threshold: 2, snapshotVersion: 2 })
  expect([...authorisedBy.signers].sort()).toEqual(
    twoOf(members)
      .map((key) => key.keyId)
      .sort(),
  )
  expect(answer.memory).toMatchObject({ assignmentVersion: 5, roles: { targets: 1, retail: 1, 'retail.pos': 2 } })
})

test('with nothing new, a device fetches two small files and asks again', async () => {
  const names: string[] = []
  const seen = await afterRefresh(honestScenario(world))
  const spied = new Proxy(world.files, {
    get: (files, key) =>
      key === 'get' ? (name: string) => (names.push(name), files.get(name)) : Reflect.get(files, key),
  })
  expect(await answerOf({ ...seen, sources: [spied] })).toBe('yes')
  expect(names).toEqual(['2.root.json', 'timestamp.json'])
})

test('after a restart the cache is enough while its timestamp lives, and then the sources are asked', async () => {
  const seen = await afterRefresh(honestScenario(world))
  expect(await answerOf({ ...seen, sources: [], preferCache: true })).toBe('yes')
  expect(await answerOf({ ...seen, sources: [] })).toMatch(/^UNAVAILABLE/)
  expect(await answerOf({ ...seen, sources: [world.files], cache: new Map(), preferCache: true })).toBe('yes')
  const clock = now.add({ hours: 49 })
  expect(await answerOf({ ...seen, sources: [], preferCache: true, clock })).not.toBe('yes')
  const later = publishInto({ ...world, at: clock }, {})
  expect(await answerOf({ ...seen, sources: [later.files], preferCache: true, clock })).toBe('yes')
})

test('what was verified once is asked again without any file', async () => {
  const refreshed = await refresh(honestScenario(world))
  if (!refreshed.ok) throw new Error(refreshed.error.fact)
  expect(textOf(askWith(refreshed.value, honestScenario(world)))).toBe('yes')
})

test('relays with garbage and with endless files are passed over', async () => {
  const garbage = new Map([...world.files].map(([name]) => [name, Buffer.from('{"signed":')]))
  const endless = new Map([...world.files].map(([name]) => [name, Buffer.alloc(2_000_000, ' ')]))
  const roleless = new Map([...world.files].filter(([name]) => !name.includes('retail.pos')))
  expect(await answerOf(honestScenario(world, { sources: [garbage, endless, roleless, world.files] }))).toBe('yes')
})

test.each(['root.json', 'timestamp.json', 'snapshot.json', 'targets.json', 'retail.json', 'retail.pos.json'])(
  'half of a %s in the cache is fetched again',
  async (name) => {
    const seen = await afterRefresh(honestScenario(world))
    const whole = seen.cache.get(name) ?? Buffer.of()
    expect(whole.length).toBeGreaterThan(100)
    for (const length of [0, 1, whole.length >> 1, whole.length - 1]) {
      const cache = new Map(seen.cache).set(name, whole.subarray(0, length))
      expect(await answerOf({ ...seen, cache }), `${length} bytes`).toBe('yes')
      expect(Buffer.from(cache.get(name) ?? []).equals(Buffer.from(whole))).toBe(true)
    }
  },
)

test('a device that was away for five changes of all custodians follows the chain, although every step has expired', async () => {
  let later: World = world
  let signers = custodians
  for (let version = 2; version <= 6; version += 1) {
    const next = [0, 1, 2].map((n) => keyOf(`custodian ${version}.${n}`))
    const quorum = { publicKeys: publicOf(next), threshold: 2 }
    later = { ...later, at: later.at.add({ hours: 24 * 390 }) }
    later = publishInto(renewed(later), { root: rootOf(later, version, [...signers, ...next], { root: quorum }) })
    signers = next
  }
  const clock = later.at.add({ hours: 1 })
  const assignment = signDocument({ ...anAssignment(anOrder(second)), expires: clock.add({ hours: 24 }).toString() }, [
    director,
  ])
  expect(await answerOf(honestScenario(later, { clock, assignment }))).toBe('yes')
})

test('when online keys were stolen and ran the versions up, new keys from the custodians bring the device back', async () => {
  const far = 2 ** 31
  const run = forgeInto(
    world,
    {},
    {
      snapshot: (signed) => ({ ...signed, version: far }),
      timestamp: (signed) => ({ ...signed, version: far }),
    },
  )
  const robbed = await afterRefresh(honestScenario(world, { sources: [run] }))
  expect(await answerOf({ ...robbed, sources: [world.files] })).toMatch(/^ROLLBACK/)
  const fresh = { snapshot: [keyOf('new snapshot')], timestamp: [keyOf('new timestamp')] }
  const root = rootOf(world, 2, custodians, {
    snapshot: { publicKeys: publicOf(fresh.snapshot), threshold: 1 },
    timestamp: { publicKeys: publicOf(fresh.timestamp), threshold: 1 },
  })
  const rotated = publish(world.state, { root }, { online: fresh, at: now })
  if (!rotated.ok) throw new Error(rotated.error.fact)
  const files = new Map(world.files)
  for (const { name, bytes } of rotated.value.files) files.set(name, bytes)
  expect(await answerOf({ ...robbed, sources: [files] })).toBe('yes')
})

test('after yesterday’s backup the signer goes on above what devices have seen', async () => {
  const today = publishInto(publishInto(world, {}), {})
  const seen = await afterRefresh(honestScenario(today))
  const versions = { snapshot: seen.memory.snapshotVersion, timestamp: seen.memory.timestampVersion }
  const restored = publish(world.state, {}, { online, at: now, seen: versions })
  if (!restored.ok) throw new Error(restored.error.fact)
  const files = new Map(world.files)
  for (const { name, bytes } of restored.value.files) files.set(name, bytes)
  expect(await answerOf({ ...seen, sources: [world.files] })).toMatch(/^ROLLBACK/)
  expect(await answerOf({ ...seen, sources: [files] })).toBe('yes')
})

test('going back is allowed from the release that the board named, and from no other', async () => {
  const allowed = backOutWorld(world)
  const back = { action: 'back-out' as const }
  const facts = { installed: installedOf(second), kept: installedOf(first) }
  expect(await answerOf(ordered(allowed, second, facts, back))).toBe('yes')
  expect(await answerOf(ordered(allowed, first, { installed: installedOf(second) }))).toBe('yes')
  const third = aRelease({ counter: 3 })
  expect(await answerOf(ordered(allowed, third, { ...facts, installed: installedOf(third) }, back))).toMatch(
    /^ROLLBACK/,
  )
})

test('a stopped release can still be left, and nobody goes back to a stopped one', async () => {
  const allowed = backOutWorld(world)
  const back = { action: 'back-out' as const }
  const facts = { installed: installedOf(second), kept: installedOf(first) }
  const stoppedBad = publishInto(allowed, { 'retail.stop': stopping(allowed, second) })
  expect(await answerOf(ordered(stoppedBad, second, facts, back))).toBe('yes')
  const stoppedGood = publishInto(allowed, { 'retail.stop': stopping(allowed, first) })
  expect(await answerOf(ordered(stoppedGood, second, facts, back))).toMatch(/^WITHDRAWN/)
})

test('software is removed where the board signed that it may be', async () => {
  const removable = aRelease({ counter: 3 }, { mayRemove: true })
  const signed = publishInto(world, { 'retail.pos': goFor(world, removable) })
  expect(await answerOf(ordered(signed, removable, { installed: installedOf(removable) }, { action: 'remove' }))).toBe(
    'yes',
  )
})

test('a device that kept nothing goes back by removing, where the board signed that it may', async () => {
  const removable = aRelease({ counter: 3 }, { mayRemove: true })
  const signed = publishInto(world, { 'retail.pos': goFor(world, removable) })
  const facts = { installed: installedOf(removable), kept: null }
  const answer = await ask(ordered(signed, removable, facts, { action: 'back-out' }))
  expect(answer.ok && answer.authorised).toMatchObject({ action: 'remove', path: removable.path })
  const other = { ...facts, kept: installedOf(aRelease({ counter: 7 })) }
  expect(await answerOf(ordered(signed, removable, other, { action: 'back-out' }))).toMatch(/^BOARD/)
})

test('a withdrawn release cannot say any more that it may be removed, and the refusal says so', async () => {
  const removable = aRelease({ counter: 3 }, { mayRemove: true })
  const signed = publishInto(world, { 'retail.pos': goFor(world, removable) })
  const withdrawn = publishInto(signed, {
    'retail.pos': nextVersion<RoleSigned>(signed, 'retail.pos', (one) => ({ ...one, targets: {} }), members),
  })
  const facts = { installed: installedOf(removable), kept: null }
  const answer = await ask(ordered(withdrawn, removable, facts, { action: 'back-out' }))
  expect(answer.ok || answer.refusal).toMatchObject({
    code: 'BOARD',
    fact: expect.stringContaining('what is withdrawn') as string,
    next: expect.stringContaining('by hand') as string,
  })
  expect(await answerOf(ordered(signed, removable, { installed: null }, { action: 'remove' }))).toBe('yes')
})

test('a line belongs to the first board that installed it here, and a fresh device takes it from any board', async () => {
  expect(await answerOf(ofAnotherBoard(world, 'normal', { installed: null, memory: freshMemory(now) }))).toBe('yes')
  const answer = await ask(ofAnotherBoard(world, 'normal'))
  expect(answer.ok || answer.refusal).toMatchObject({
    rule: 'line-belongs-to-one-board',
    lift: 'person',
    lifter: 'Whoever set up this device',
  })
})

test('the small quorum lets an emergency out for fourteen days, and the board takes it over', async () => {
  const urgent = aRelease({ counter: 3, kind: 'emergency' })
  const change = (signed: RoleSigned) => ({
    ...withTarget(signed, urgent.path, urgent.target),
    expires: now.add({ hours: 14 * 24 }).toString(),
  })
  const emergency = nextVersion<RoleSigned>(world, 'retail.emergency', change, twoOf(emergencyMembers))
  const out = publishInto(world, { 'retail.emergency': emergency })
  expect(await answerOf(ordered(out, urgent))).toBe('yes')

  const clock = now.add({ hours: 14 * 24 })
  const later = publishInto({ ...out, at: clock }, {})
  const order = (path: string) =>
    signDocument({ ...anAssignment({ ...anOrder(urgent), path }), expires: clock.add({ hours: 24 }).toString() }, [
      director,
    ])
  expect(await answerOf(ordered(later, urgent, { clock, assignment: order(urgent.path) }))).toMatch(/^EXPIRED/)
  const ratified = aRelease({ counter: 3 })
  const taken = publishInto(later, { 'retail.pos': goFor(later, ratified) })
  expect(await answerOf(ordered(taken, urgent, { clock, assignment: order(ratified.path) }))).toBe('yes')
})

test('where the server decides who, a device installs inside the signed share', async () => {
  const path = aRelease({ counter: 3 }).path
  const permille = audiencePosition(device.keyId, path) + 1
  const phases = [{ ...openPhase, audienceRoot: null, permille }]
  const release = aRelease({ counter: 3 }, { phases })
  const signed = publishInto(world, { 'retail.pos': goFor(world, release) })
  expect(await answerOf(ordered(signed, release))).toBe('yes')
})

test('a share of fifty permille takes about five of a hundred devices', () => {
  const inside = Array.from({ length: 20_000 }, (_none, n) => audiencePosition(String(n), 'a/b/normal/c.json') < 50)
  const share = inside.filter(Boolean).length / 20_000
  expect(share).toBeGreaterThan(0.044)
  expect(share).toBeLessThan(0.056)
})

test('the time of a device never falls behind what it has verified, and an online key cannot move it', async () => {
  const old = honestScenario(world, { clock: now.subtract({ minutes: 30 }) })
  const seen = await afterRefresh(old)
  expect(timeFloor(seen.memory, Temporal.Instant.from('1970-01-01T00:00:00Z')).toString()).toBe(now.toString())
  const ahead = forgeInto(world, {}, { timestamp: (signed) => ({ ...signed, 'x-issued': '2026-11-23T08:50:00Z' }) })
  expect((await afterRefresh(honestScenario(world, { sources: [ahead] }))).memory.notBefore).toBe(now.toString())
})

test('an expired authority takes nothing away: it only stops what is new', async () => {
  const clock = now.add({ hours: 24 * 3 })
  expect(await answerOf(honestScenario(world, { clock }))).toMatch(/^EXPIRED/)
})

// A true limit of any such system, and the reason why product roles expire: what a device never saw it cannot miss.
test('a fresh device believes an older state that the board signed, until that expires', async () => {
  const withdrawn = publishInto(world, {
    'retail.pos': nextVersion<RoleSigned>(world, 'retail.pos', (signed) => ({ ...signed, targets: {} }), members),
  })
  expect(await answerOf(honestScenario(withdrawn, { sources: [world.files] }))).toBe('yes')
  const seen = await afterRefresh(honestScenario(withdrawn))
  expect(await answerOf({ ...seen, sources: [withdrawn.files] })).toMatch(/^BOARD/)
  expect(await answerOf({ ...seen, cache: new Map(), sources: [world.files] })).toMatch(/^ROLLBACK/)
})

test('the memory of counters only rises', () => {
  const memory = rememberInstalled(freshMemory(now), 'retail/pos', { counter: 3, release: 'c' })
  expect(rememberInstalled(memory, 'retail/pos', { counter: 2, release: 'b' })).toBe(memory)
})

/** The same role files again, issued at the time of the world. */
function renewed(at: World): World {
  const again = (role: string, keys: typeof custodians, days: number) =>
    nextVersion<RoleSigned>(
      at,
      role,
      (signed) => ({ ...signed, expires: at.at.add({ hours: 24 * days }).toString() }),
      keys,
    )
  return publishInto(at, {
    targets: again('targets', custodians, 365),
    retail: again('retail', members, 365),
    'retail.pos': again('retail.pos', members, 180),
    'retail.stop': again('retail.stop', members, 180),
  })
}
