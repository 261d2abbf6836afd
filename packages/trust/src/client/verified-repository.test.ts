import { expect, test } from 'vitest'
import { sha256Hex } from '#/keys.ts'
import { rootOf } from '#/testing/attack.ts'
import { attacks } from '#/testing/attacks.ts'
import { cacheOf, honestScenario, sourceOf, type Scenario } from '#/testing/scenario.ts'
import { custodians, honestWorld, now, online, outsider, publishInto } from '#/testing/world.ts'
import { signDocument } from '#/envelope.ts'
import { fileBytesOf } from '#/tuf/documents.ts'
import { renew } from '#/tuf/flows/proposal.ts'
import { publish } from '#/tuf/publish.ts'
import { endedAbove, sourceOfFiles, verifyBundle } from '#/tuf/verify-bundle.ts'
import { freshMemory } from './memory.ts'
import { verifiedRepository } from './verified-repository.ts'

const world = honestWorld()
const anchorSha256 = sha256Hex(world.files.get('1.root.json') ?? '')

async function read(scenario: Scenario) {
  const { anchor, sources, memory, clock } = scenario
  return await verifiedRepository({ anchor, cache: cacheOf(new Map()), sources: sources.map(sourceOf), memory, clock })
}

async function readBundle(files: ReadonlyMap<string, Uint8Array>, at = now, seen = freshMemory(now)) {
  return await verifyBundle({ anchorSha256, source: sourceOfFiles(files), at, seen })
}

test('a member’s tool reads the repository that the signer holds, and publishes on top of it', async () => {
  const rotated = publishInto(world, { root: rootOf(world, 2, custodians) })
  const outcome = await read(honestScenario(rotated))
  if (!outcome.ok) throw new Error(outcome.error.fact)
  const { root, roles, counters, expired, snapshotVersion, memory } = outcome.value
  expect(root).toEqual(rotated.state.root)
  expect(roles).toEqual(rotated.state.roles)
  expect(counters).toEqual(rotated.state.counters)
  expect(expired).toEqual([])
  expect([snapshotVersion, memory.rootVersion, memory.roles['retail.pos']]).toEqual([3, 2, 2])
  expect(renew(outcome.value, ['retail.pos'], now).ok).toBe(true)
})

test('a signature that does not fit is not taken over, so a flow cannot count it', async () => {
  const pos = world.state.roles['retail.pos']
  const stranger = { keyid: outsider.keyId, sig: 'a'.repeat(128) }
  const forged = { signed: pos?.signed, signatures: [...(pos?.signatures ?? []), stranger] }
  const bytes = fileBytesOf(forged)
  const state = { ...world.state, roles: { ...world.state.roles, 'retail.pos': forged as NonNullable<typeof pos> } }
  const listed = publish(state, {}, { online, at: now })
  if (!listed.ok) throw new Error(listed.error.fact)
  const files = new Map(world.files).set('2.retail.pos.json', bytes)
  for (const { name, bytes: content } of listed.value.files) files.set(name, content)
  const outcome = await readBundle(files)
  expect(outcome.ok && outcome.value.roles['retail.pos']).toEqual(pos)
})

test('what has ended can still be read, and is named', async () => {
  const at = now.add({ hours: 24 * 200 })
  const bundle = await readBundle(world.files, at)
  expect(bundle.ok && [...bundle.value.expired].sort()).toEqual(
    [
      'ops.net',
      'ops.stop',
      'retail.emergency',
      'retail.kiosk',
      'retail.pos',
      'retail.stop',
      'snapshot',
      'timestamp',
    ].sort(),
  )
  expect(bundle.ok && endedAbove(bundle.value, 'retail.pos')).toEqual(['timestamp', 'snapshot'])
  const outcome = await read(honestScenario(world, { clock: at }))
  expect(outcome.ok && outcome.value.expired).toContain('retail.pos')
})

test('an emergency list that has ended under fresh files is the newest one, and may be followed', async () => {
  const at = now.add({ hours: 24 * 20 })
  const fresh = publishInto({ ...world, at }, {})
  const bundle = await readBundle(fresh.files, at)
  expect(bundle.ok && bundle.value.expired).toEqual(['retail.emergency'])
  expect(bundle.ok && endedAbove(bundle.value, 'retail.emergency')).toEqual([])
})

test('nothing is older than what was seen', async () => {
  const later = publishInto(world, {})
  const seen = await readBundle(later.files)
  const memory = seen.ok ? seen.value.memory : freshMemory(now)
  expect(await readBundle(world.files, now, memory)).toMatchObject({ error: { rule: 'online-files-are-not-older' } })
  expect(await readBundle(later.files, now, memory)).toMatchObject({ ok: true })
})

test('another first root than the fingerprint names is not even read', async () => {
  const forged = fileBytesOf(signDocument(world.state.root.signed, [outsider]))
  expect(await readBundle(new Map(world.files).set('1.root.json', forged))).toMatchObject({
    error: { rule: 'root-is-the-anchor' },
  })
})

/** What is wrong with the job, the assignment or the manifest is no business of whoever reads the files. */
const fileCodes = new Set([
  'QUORUM',
  'ROLLBACK',
  'MIX',
  'EXPIRES',
  'ISSUED',
  'ENDLESS',
  'TOOMANY',
  'FORM',
  'KEYID',
  'DUPKEY',
  'THRESHOLD',
  'DELEGATION',
  'LEVEL',
  'ROOT',
  'TUF',
  'UNAVAILABLE',
])
const notOfFiles = /^(assignment-|manifest-|counter-|back-out-|director-)/
const onFiles = attacks.filter(({ code, rule }) => fileCodes.has(code) && !notOfFiles.test(rule))

test.each(onFiles)('the browser’s own verification believes nothing of: $name', async ({ arrange }) => {
  const { sources, clock, memory, anchor } = await arrange(world)
  const [files = new Map<string, Uint8Array>()] = sources
  const fingerprint = anchor.sha256 ?? anchorSha256
  const shown = new Map(files).set('1.root.json', anchor.bytes)
  const outcome = await verifyBundle({
    anchorSha256: fingerprint,
    source: sourceOfFiles(shown),
    at: clock,
    seen: memory,
  })
  // What expired in honest hands is readable, for renewals only; it is never taken for something alive.
  expect(outcome.ok && outcome.value.expired.length === 0).toBe(false)
})
