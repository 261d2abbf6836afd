import { expect, test } from 'vitest'
import { signDocument } from '#/envelope.ts'
import { expiryText } from '#/expiry.ts'
import type { KeyPair } from '#/keys.ts'
import { rootOf } from '#/testing/attack.ts'
import {
  type World,
  aRelease,
  aStop,
  boardQuorums,
  custodians,
  emergencyMembers,
  first,
  goFor,
  honestWorld,
  keyOf,
  members,
  nextVersion,
  now,
  online,
  outsider,
  publicOf,
  publishInto,
  second,
  twoOf,
  withTarget,
} from '#/testing/world.ts'
import { buildBoard, buildReleases } from './build.ts'
import type { DelegatingSigned, RoleSigned } from './documents.ts'
import { documentChecks, formChecks } from './publish-checks.ts'
import { repositoryChecks } from './repository-checks.ts'
import { type Documents, publish, renewTimestamp } from './publish.ts'

const world = honestWorld()
const third = aRelease({ counter: 3 })

function outcomeOf(documents: Documents, from: World = world): string {
  const outcome = publish(from.state, documents, { online, at: now })
  if (outcome.ok) return 'published'
  const { rule, fact, lifter, next } = outcome.error
  expect([fact, lifter, next].every((sentence) => sentence.length > 0)).toBe(true)
  return rule
}

function line(change: (signed: RoleSigned) => object, signers: readonly KeyPair[] = members): Documents {
  return { 'retail.pos': nextVersion<RoleSigned>(world, 'retail.pos', change, signers) }
}

function board(change: (signed: DelegatingSigned) => object): Documents {
  return { retail: nextVersion<DelegatingSigned>(world, 'retail', change, members) }
}

function roles(change: (role: DelegatingSigned['delegations']['roles'][number]) => object): Documents {
  return board(({ delegations, ...signed }) => ({
    ...signed,
    delegations: { ...delegations, roles: delegations.roles.map(change) },
  }))
}

const refused: [string, string, () => Documents][] = [
  ['one of three signatures', 'quorum-signed', () => ({ 'retail.pos': goFor(world, third, members.slice(0, 1)) })],
  ['an outsider', 'quorum-signed', () => ({ 'retail.pos': goFor(world, third, [keyOf('mona'), outsider]) })],
  ['one signature twice', 'quorum-signed', () => ({ 'retail.pos': twice(goFor(world, third, members.slice(0, 1))) })],
  ['no signature', 'role-has-a-form', () => ({ 'retail.pos': goFor(world, third, []) })],
  ['a version that is published with other content', 'version-is-the-next', () => line((s) => ({ ...s, version: 2 }))],
  ['a version that skips one', 'version-is-the-next', () => line((s) => ({ ...s, version: 4 }))],
  ['the same version again', 'version-is-the-next', () => ({ 'retail.pos': posDocument() })],
  ['a line that nobody delegates', 'role-is-delegated', () => ({ 'retail.shop': newLine('retail.shop', members) })],
  ['a line of another board', 'role-is-delegated', () => ({ 'shop.pos': newLine('shop.pos', members) })],
  ['a name that is none', 'role-has-a-form', () => ({ '../evil': newLine('retail.pos', members) })],
  ['a snapshot made by hand', 'role-has-a-form', () => ({ snapshot: newLine('retail.pos', members) })],
  ['a field that nobody knows', 'role-has-a-form', () => line((s) => ({ ...s, 'x-more': 1 }))],
  ['a line that delegates', 'role-has-a-form', () => line((s) => ({ ...s, delegations: { keys: {}, roles: [] } }))],
  ['custodians with a target', 'role-has-a-form', () => ({ targets: targetsWith(third.path) })],
  ['an expiry in two years', 'lifetime-in-bounds', () => line((s) => ({ ...s, expires: '2028-11-23T00:00:00Z' }))],
  ['an expiry that has passed', 'lifetime-in-bounds', () => line((s) => ({ ...s, expires: '2026-11-23T00:00:00Z' }))],
  ['an issue from the future', 'lifetime-in-bounds', () => line((s) => ({ ...s, 'x-issued': '2026-12-23T00:00:00Z' }))],
  ['an emergency for a month', 'lifetime-in-bounds', () => ({ 'retail.emergency': emergencyOf(30) })],
  ['501 releases', 'targets-in-bounds', () => line((s) => ({ ...s, targets: many() }))],
  ['a release of another line', 'paths-belong-to-the-role', () => line((s) => withTarget(s, kiosk.path, kiosk.target))],
  [
    'a release under a wrong name',
    'paths-belong-to-the-role',
    () => line((s) => withTarget(s, third.path, second.target)),
  ],
  ['a stop in a line', 'role-has-a-form', () => line((s) => withTarget(s, ...aStop(second)))],
  [
    'other bytes under a name',
    'bytes-never-replaced',
    () => line((s) => withTarget(s, second.path, { ...second.target, hashes: third.target.hashes })),
  ],
  [
    'a counter that was used',
    'counter-rises',
    () => ({ 'retail.pos': goFor(world, aRelease({ counter: 2, release: 'REL-0009' })) }),
  ],
  ['a threshold of none', 'role-has-a-form', () => roles((role) => ({ ...role, threshold: 0 }))],
  ['a threshold that nobody can reach', 'keys-are-distinct', () => roles((role) => ({ ...role, threshold: 9 }))],
  [
    'a key twice in a role',
    'keys-are-distinct',
    () => roles((role) => ({ ...role, keyids: [...role.keyids, ...role.keyids] })),
  ],
  [
    'a pattern that takes more',
    'delegations-stay-below',
    () => roles((role) => ({ ...role, paths: ['retail/*/*/*'] })),
  ],
  [
    'a role of another board',
    'delegations-stay-below',
    () => roles((role) => ({ ...role, name: `shop.${role.name.split('.')[1]}` })),
  ],
  ['keys that are kept badly', 'delegations-stay-below', () => roles((role) => ({ ...role, 'x-min-level': 2 }))],
  [
    'a new line without a file',
    'every-delegation-has-a-file',
    () => ({ retail: boardWith({ 'retail.shop': quorumOf(members) }) }),
  ],
  [
    'a leaver whose signature is needed',
    'every-file-keeps-its-quorum',
    () => ({ retail: boardWith({ 'retail.pos': quorumOf([keyOf('mira'), keyOf('new')]) }) }),
  ],
  [
    'a root of strangers',
    'quorum-signed',
    () => ({ root: rootOf(world, 2, [outsider], { root: { publicKeys: [outsider.publicKey], threshold: 1 } }) }),
  ],
]

test.each(refused)('%s is refused by the rule %s', (_name, rule, documents) => {
  expect(outcomeOf(documents())).toBe(rule)
})

test('every rule of publishing has a draft that it refuses', () => {
  const rules = [...formChecks, ...documentChecks, ...repositoryChecks].map(({ name }) => name)
  const seen = new Set(refused.map(([, rule]) => rule))
  // Nobody builds 500 lines for a test.
  expect(rules.filter((rule) => !seen.has(rule))).toEqual(['snapshot-in-bounds'])
})

test('a go is published with a snapshot and a timestamp, and the timestamp is written last', () => {
  const outcome = publish(world.state, { 'retail.pos': goFor(world, third) }, { online, at: now })
  if (!outcome.ok) throw new Error(outcome.error.fact)
  expect(outcome.value.files.map(({ name }) => name)).toEqual([
    '3.retail.pos.json',
    '3.snapshot.json',
    'timestamp.json',
  ])
  expect(outcome.value.state.snapshot.signed.meta['retail.pos.json']?.version).toBe(3)
  expect(outcome.value.state.counters).toEqual({ 'retail/pos': 3 })
})

test('a leaver goes when the others have signed first, with one snapshot for both', () => {
  const stay = [keyOf('mira'), keyOf('new')]
  const documents = {
    'retail.pos': nextVersion<RoleSigned>(world, 'retail.pos', (signed) => signed, stay),
    retail: boardWith({ 'retail.pos': quorumOf(stay) }),
  }
  expect(outcomeOf(documents)).toBe('published')
})

test('all signatures are kept, so that a file with more than the quorum survives a leaver', () => {
  const all = publishInto(world, {
    'retail.pos': nextVersion<RoleSigned>(world, 'retail.pos', (signed) => signed, members),
  })
  const documents = { retail: boardWith({ 'retail.pos': quorumOf([keyOf('milo'), keyOf('mira')]) }, all) }
  expect(outcomeOf(documents, all)).toBe('published')
})

test('a new line comes with its first file', () => {
  const documents = {
    retail: boardWith({ 'retail.shop': quorumOf(members) }),
    'retail.shop': newLine('retail.shop', twoOf(members)),
  }
  expect(outcomeOf(documents)).toBe('published')
})

test('a withdrawn release does not come back, and its counter is not used again', () => {
  const withdrawn = publishInto(
    world,
    line((signed) => ({ ...signed, targets: { [first.path]: first.target } })),
  )
  expect(outcomeOf({ 'retail.pos': goFor(withdrawn, second) }, withdrawn)).toBe('counter-rises')
})

test('a signer whose keys the root does not name publishes nothing', () => {
  const wrong = { snapshot: [outsider], timestamp: [outsider] }
  const outcome = publish(world.state, {}, { online: wrong, at: now })
  expect(outcome).toMatchObject({ ok: false, error: { rule: 'online-keys-are-named-by-the-root' } })
  expect(renewTimestamp(world.state, { online: wrong, at: now }).ok).toBe(false)
})

test('an idle repository needs a timestamp and nothing else', () => {
  const renewed = renewTimestamp(world.state, { online, at: now.add({ hours: 1 }) })
  if (!renewed.ok) throw new Error(renewed.error.fact)
  expect(renewed.value.files.map(({ name }) => name)).toEqual(['timestamp.json'])
  expect(renewed.value.state.timestamp.signed).toMatchObject({
    version: world.state.timestamp.signed.version + 1,
    expires: expiryText(now.add({ hours: 49 })),
  })
})

const kiosk = aRelease({ counter: 3, line: 'kiosk' })

function posDocument() {
  return world.state.roles['retail.pos'] ?? goFor(world, third)
}

function twice(document: ReturnType<typeof goFor>) {
  return { ...document, signatures: [...document.signatures, ...document.signatures] }
}

function many() {
  return Object.fromEntries(
    Array.from({ length: 501 }, (_none, n) => [`retail/pos/normal/REL-${n}.json`, second.target]),
  )
}

function newLine(_role: string, signers: readonly KeyPair[]) {
  return signDocument(buildReleases('line', { version: 1, at: now }, {}), signers)
}

function targetsWith(path: string) {
  return nextVersion<RoleSigned>(world, 'targets', (signed) => withTarget(signed, path, third.target), custodians)
}

function emergencyOf(days: number) {
  const expires = expiryText(now.add({ hours: 24 * days }))
  return nextVersion<RoleSigned>(world, 'retail.emergency', (signed) => ({ ...signed, expires }), emergencyMembers)
}

function quorumOf(keys: readonly KeyPair[]) {
  return { publicKeys: publicOf(keys), threshold: 2 }
}

function boardWith(quorums: Readonly<Record<string, ReturnType<typeof quorumOf>>>, from: World = world) {
  const version = (from.state.roles['retail']?.signed.version ?? 0) + 1
  return signDocument(buildBoard({ version, at: now }, { ...boardQuorums(), ...quorums }), members)
}
