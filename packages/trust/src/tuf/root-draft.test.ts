import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalJson } from '#/canonical.ts'
import { signDocument } from '#/envelope.ts'
import { custodians, honestWorld, keyOf, now, online, outsider, publicOf, rootQuorums } from '#/testing/world.ts'
import type { RootSigned } from './documents.ts'
import { publish } from './publish.ts'
import { type RootDecision, makeRootDraft, reviewRootDraft } from './root-draft.ts'

const world = honestWorld()
const before = world.state.root.signed
const [cora, carl, chen] = [keyOf('cora'), keyOf('carl'), keyOf('chen')]
const dora = keyOf('dora')
const renew: RootDecision = { kind: 'renew' }
const replaced = { publicKeys: publicOf([carl, chen, dora]), threshold: 2 }
const replace: RootDecision = { kind: 'set-keys', ...rootQuorums(), root: replaced, targets: replaced }
const rotate: RootDecision = {
  kind: 'set-keys',
  ...rootQuorums(),
  snapshot: { publicKeys: publicOf([keyOf('new snapshot')]), threshold: 1 },
}

test.each<[string, RootDecision, object[]]>([
  ['a renewal', renew, []],
  [
    'a custodian for another one',
    replace,
    ['root', 'targets'].map((role) => {
      return { role, joins: [dora.keyId], leaves: [cora.keyId], threshold: { before: 2, after: 2 } }
    }),
  ],
  ['a new online key', rotate, [{ role: 'snapshot', joins: [keyOf('new snapshot').keyId] }]],
  [
    'another number of signatures',
    { kind: 'set-keys', ...rootQuorums(), root: { publicKeys: publicOf(custodians), threshold: 3 } },
    [{ role: 'root', joins: [], leaves: [], threshold: { before: 2, after: 3 } }],
  ],
])('%s shows exactly what changes in the root', (_name, decision, changes) => {
  const review = reviewRootDraft(before, makeRootDraft(before, decision, now), decision, now)
  expect(review).toMatchObject({ ok: true, value: { version: 2 } })
  expect(review.ok && review.value.changes).toHaveLength(changes.length)
  expect(review.ok && review.value.changes).toMatchObject(changes)
})

test('a first root has everybody join', () => {
  const decision: RootDecision = { kind: 'set-keys', ...rootQuorums() }
  const review = reviewRootDraft(undefined, makeRootDraft(undefined, decision, now), decision, now)
  expect(review.ok && review.value.changes.map(({ role }) => role)).toEqual([
    'root',
    'targets',
    'snapshot',
    'timestamp',
  ])
  expect(review.ok && review.value.changes[0]).toMatchObject({ leaves: [], threshold: { before: undefined, after: 2 } })
})

test('a new root needs the old quorum and the new one', () => {
  const draft = makeRootDraft(before, replace, now)
  const outcome = (keys: typeof custodians) =>
    publish(world.state, { root: signDocument(draft, keys) }, { online, at: now })
  expect(outcome([cora, carl])).toMatchObject({ ok: false, error: { rule: 'quorum-signed' } })
  expect(outcome([chen, dora])).toMatchObject({ ok: false, error: { rule: 'quorum-signed' } })
  // Cora signed the custodians' file as well, so that one is signed anew by those who stay.
  expect(outcome([carl, chen])).toMatchObject({ ok: false, error: { rule: 'every-file-keeps-its-quorum' } })
})

const alias = '0'.repeat(64)
const lies: [string, string, (draft: RootSigned) => object][] = [
  ['a stranger in the place of the new custodian', 'draft-is-the-decision-and-nothing-else', () => strangerRoot()],
  [
    'an online key changed by the way',
    'draft-is-the-decision-and-nothing-else',
    () => makeRootDraft(before, { ...rotate, root: replaced, targets: replaced }, now),
  ],
  ['a key that nobody uses', 'draft-is-the-decision-and-nothing-else', (d) => withKey(d, outsider.keyId)],
  ['a key under a foreign id', 'draft-keys-are-sound', (d) => withKey(d, alias)],
  [
    'a custodian listed twice',
    'draft-keys-are-sound',
    (d) => ({ ...d, roles: { ...d.roles, root: { keyids: [carl.keyId, carl.keyId], threshold: 2 } } }),
  ],
  [
    'a threshold above the custodians',
    'draft-keys-are-sound',
    (d) => ({ ...d, roles: { ...d.roles, root: { ...d.roles.root, threshold: 4 } } }),
  ],
  [
    'a threshold of nobody',
    'draft-has-a-form',
    (d) => ({ ...d, roles: { ...d.roles, root: { ...d.roles.root, threshold: 0 } } }),
  ],
  ['a fifth role', 'draft-has-a-form', (d) => ({ ...d, roles: { ...d.roles, mirror: d.roles.root } })],
  ['no consistent names', 'draft-has-a-form', (d) => ({ ...d, consistent_snapshot: false })],
  ['the same version', 'draft-is-the-next-version', (d) => ({ ...d, version: 1 })],
  ['a version ahead', 'draft-is-the-next-version', (d) => ({ ...d, version: 3 })],
  ['a life of years', 'draft-lives-in-bounds', (d) => ({ ...d, expires: '2030-01-01T00:00:00Z' })],
  ['an end in the past', 'draft-lives-in-bounds', (d) => ({ ...d, expires: '2026-01-01T00:00:00Z' })],
  ['an issue in the future', 'draft-lives-in-bounds', (d) => ({ ...d, 'x-issued': '2026-12-01T00:00:00Z' })],
]

test.each(lies)('a root with %s is not signed: %s', (_name, rule, lie) => {
  const draft = lie(makeRootDraft(before, replace, now))
  expect(reviewRootDraft(before, draft, replace, now)).toMatchObject({ ok: false, error: { rule } })
})

test('whatever a server changes in a root, a custodian signs the decision or nothing', () => {
  const honest = makeRootDraft(before, replace, now)
  const timeless = (draft: object) => canonicalJson({ ...draft, expires: '', 'x-issued': '' })
  const places = fc.constantFrom(...(Object.keys(honest) as (keyof typeof honest)[]))
  fc.assert(
    fc.property(places, fc.jsonValue(), (place, value) => {
      const draft = { ...honest, [place]: value }
      const review = reviewRootDraft(before, draft, replace, now)
      expect(!review.ok || timeless(draft) === timeless(honest)).toBe(true)
    }),
    { numRuns: 300 },
  )
})

function strangerRoot(): RootSigned {
  const quorum = { publicKeys: publicOf([carl, chen, outsider]), threshold: 2 }
  return makeRootDraft(before, { kind: 'set-keys', ...rootQuorums(), root: quorum, targets: quorum }, now)
}

function withKey(draft: RootSigned, id: string): object {
  const key = { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: outsider.publicKey } }
  return { ...draft, keys: { ...draft.keys, [id]: key } }
}
