import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalJson } from '#/canonical.ts'
import { roleWords } from './decision-words.ts'
import { aRelease, aStop, first, now, openPhase, second } from '#/testing/world.ts'
import {
  type RoleDecision,
  type VerifiedVersion,
  makeDraft,
  noVersion,
  reviewDraft,
  verifiedVersionOf,
} from './draft.ts'

const third = aRelease({ counter: 3 })
const urgent = aRelease({ counter: 3, kind: 'emergency' })
const before: VerifiedVersion = {
  role: 'retail.pos',
  version: 7,
  targets: { [first.path]: first.target, [second.path]: second.target },
}
const emergency: VerifiedVersion = { role: 'retail.emergency', version: 2, targets: {} }
const [stopPath, stopTarget] = aStop(second)
const stops: VerifiedVersion = { role: 'retail.stop', version: 1, targets: {} }
const laterPhases = [openPhase, { ...openPhase, id: 'rest', order: 2, permille: 1000 }]
const go: RoleDecision = { kind: 'go', path: third.path, target: third.target, retires: [], returns: [] }

const decisions: [RoleDecision, VerifiedVersion, object][] = [
  [go, before, { added: [third.path], removed: [], kept: [first.path, second.path] }],
  [
    { ...go, retires: [first.path], returns: [] },
    before,
    { added: [third.path], removed: [first.path], kept: [second.path] },
  ],
  [{ kind: 'withdraw', path: second.path }, before, { added: [], removed: [second.path], kept: [first.path] }],
  [
    { kind: 'back-out-from', path: first.path, from: 'REL-0002' },
    before,
    { changed: [{ path: first.path }], kept: [second.path] },
  ],
  [{ kind: 'open-phases', path: second.path, phases: laterPhases }, before, { changed: [{ path: second.path }] }],
  [{ kind: 'renew' }, before, { added: [], removed: [], changed: [], kept: [first.path, second.path] }],
  [{ kind: 'ratify', emergencyPath: urgent.path, target: third.target }, before, { added: [third.path] }],
  [{ kind: 'emergency', path: urgent.path, target: urgent.target }, emergency, { added: [urgent.path] }],
  [{ kind: 'stop', path: stopPath, target: stopTarget }, stops, { added: [stopPath] }],
  [{ kind: 'lift-stop', path: stopPath }, { ...stops, targets: { [stopPath]: stopTarget } }, { removed: [stopPath] }],
  [go, noVersion('retail.pos'), { version: 1, added: [third.path], kept: [] }],
]

function draftOf(decision: RoleDecision, version: VerifiedVersion = before) {
  const draft = makeDraft(version, decision, now)
  if (!draft.ok) throw new Error(draft.error.fact)
  return draft.value
}

test.each(decisions)(
  'a member who decides $kind sees exactly what the signature changes',
  (decision, version, shown) => {
    const review = reviewDraft(version, draftOf(decision, version), decision, now)
    expect(review).toMatchObject({ ok: true, value: { role: version.role, version: version.version + 1, ...shown } })
  },
)

test('a version that was published is what the next draft is compared with', () => {
  const published = draftOf(go)
  const version = verifiedVersionOf('retail.pos', published)
  const decision: RoleDecision = { kind: 'withdraw', path: third.path }
  const review = reviewDraft(version, draftOf(decision, version), decision, now)
  expect(review).toMatchObject({ ok: true, value: { version: 9, removed: [third.path] } })
})

test('a draft shows what changes inside an entry', () => {
  const decision: RoleDecision = { kind: 'back-out-from', path: first.path, from: 'REL-0002' }
  const review = reviewDraft(before, draftOf(decision), decision, now)
  expect(review.ok && review.value.changed[0]).toMatchObject({
    before: { backoutFrom: [] },
    after: { backoutFrom: ['REL-0002'] },
  })
})

test('a go signs the way back with it: each return may be reached from the new release, and is shown', () => {
  const decision: RoleDecision = { ...go, returns: [second.path, first.path] }
  const draft = draftOf(decision)
  for (const { path } of [first, second]) {
    expect(draft.targets[path]?.custom).toMatchObject({ backoutFrom: ['REL-0003'] })
  }
  expect(draft.targets[third.path]).toEqual(third.target)
  const review = reviewDraft(before, draft, decision, now)
  expect(review).toMatchObject({ ok: true, value: { added: [third.path], removed: [], kept: [] } })
  expect(review.ok && review.value.changed.map(({ path }) => path).sort()).toEqual([first.path, second.path])
  expect(review.ok && review.value.changed[0]).toMatchObject({
    before: { backoutFrom: [] },
    after: { backoutFrom: ['REL-0003'] },
  })
  // Who decided a go without the way back does not sign it, and neither the reverse.
  expect(reviewDraft(before, draft, go, now)).toMatchObject({
    error: { rule: 'draft-is-the-decision-and-nothing-else' },
  })
  expect(reviewDraft(before, draftOf(go), decision, now).ok).toBe(false)
})

test('one release retires while another stays as the way back', () => {
  const decision: RoleDecision = { ...go, retires: [first.path], returns: [second.path] }
  const review = reviewDraft(before, draftOf(decision), decision, now)
  expect(review).toMatchObject({ ok: true, value: { removed: [first.path], changed: [{ path: second.path }] } })
})

const old = aRelease({ counter: 1, kind: 'emergency' })
const alive: VerifiedVersion = { ...emergency, targets: { [old.path]: old.target }, expires: '2026-11-28T08:00:00Z' }
const lapsed: VerifiedVersion = { ...alive, expires: '2026-11-23T08:00:00Z' }
const urgently: RoleDecision = { kind: 'emergency', path: urgent.path, target: urgent.target }

test('an emergency that has lapsed does not come back with the next one', () => {
  const draft = draftOf(urgently, lapsed)
  expect(Object.keys(draft.targets)).toEqual([urgent.path])
  const review = reviewDraft(lapsed, draft, urgently, now)
  expect(review).toMatchObject({ ok: true, value: { added: [urgent.path], removed: [old.path] } })
  expect(review.ok && roleWords(review.value).join(' ')).toContain('an emergency that has lapsed')
  const revived = { ...draft, targets: { ...draft.targets, [old.path]: old.target } }
  expect(reviewDraft(lapsed, revived, urgently, now)).toMatchObject({
    error: { rule: 'draft-is-the-decision-and-nothing-else' },
  })
  expect(reviewDraft(alive, draftOf(urgently, alive), urgently, now)).toMatchObject({ value: { kept: [old.path] } })
})

test('an emergency that is signed again lives no longer, and an empty list as long as any', () => {
  const renew: RoleDecision = { kind: 'renew' }
  const draft = draftOf(renew, alive)
  expect(draft.expires).toBe(alive.expires)
  expect(reviewDraft(alive, draft, renew, now).ok).toBe(true)
  const longer = { ...draft, expires: '2026-11-28T08:00:01Z' }
  expect(reviewDraft(alive, longer, renew, now)).toMatchObject({ error: { rule: 'draft-lives-in-bounds' } })
  const none: RoleDecision = { kind: 'withdraw', path: old.path }
  expect(draftOf(none, alive).expires).toBe('2026-12-07T08:00:00Z')
  expect(reviewDraft(alive, draftOf(none, alive), none, now).ok).toBe(true)
  expect(draftOf(renew, lapsed)).toMatchObject({ targets: {}, expires: '2026-12-07T08:00:00Z' })
})

const fourth = aRelease({ counter: 4 })
const wider = { ...third.target, custom: { ...third.target.custom, phases: [{ ...openPhase, permille: 1000 }] } }

/** What a lying server may put into the draft of a go. */
const lies: [string, string, (draft: ReturnType<typeof draftOf>) => object][] = [
  [
    'a second release',
    'draft-is-the-decision-and-nothing-else',
    (d) => ({ ...d, targets: { ...d.targets, [fourth.path]: fourth.target } }),
  ],
  [
    'a release less',
    'draft-is-the-decision-and-nothing-else',
    ({ targets: { [first.path]: _gone, ...targets }, ...d }) => ({ ...d, targets }),
  ],
  [
    'wider limits',
    'draft-is-the-decision-and-nothing-else',
    (d) => ({ ...d, targets: { ...d.targets, [third.path]: wider } }),
  ],
  [
    'other bytes for an old release',
    'draft-is-the-decision-and-nothing-else',
    (d) => ({ ...d, targets: { ...d.targets, [first.path]: { ...first.target, hashes: third.target.hashes } } }),
  ],
  ['a delegation', 'draft-has-a-form', (d) => ({ ...d, delegations: { keys: {}, roles: [] } })],
  ['a field more', 'draft-has-a-form', (d) => ({ ...d, 'x-more': 1 })],
  ['another type', 'draft-has-a-form', (d) => ({ ...d, _type: 'root' })],
  ['a version ahead', 'draft-is-the-next-version', (d) => ({ ...d, version: 9 })],
  ['an old version', 'draft-is-the-next-version', (d) => ({ ...d, version: 7 })],
  ['a life of years', 'draft-lives-in-bounds', (d) => ({ ...d, expires: '2029-01-01T00:00:00Z' })],
  ['an end in the past', 'draft-lives-in-bounds', (d) => ({ ...d, expires: '2026-01-01T00:00:00Z' })],
  ['an issue in the future', 'draft-lives-in-bounds', (d) => ({ ...d, 'x-issued': '2026-12-01T00:00:00Z' })],
  ['no instant', 'draft-has-a-form', (d) => ({ ...d, expires: 'never' })],
]

test.each(lies)('a draft with %s is not signed: %s', (_name, rule, lie) => {
  expect(reviewDraft(before, lie(draftOf(go)), go, now)).toMatchObject({ ok: false, error: { rule } })
})

const misfits: [string, RoleDecision, VerifiedVersion, string][] = [
  ['a withdrawal of what is not there', { kind: 'withdraw', path: third.path }, before, 'decision-fits-what-is-there'],
  [
    'a go for what is there',
    { ...go, path: second.path, target: second.target },
    before,
    'decision-fits-what-is-there',
  ],
  [
    'a go with an old counter',
    { ...go, target: { ...third.target, custom: { ...third.target.custom, counter: 2 } } },
    before,
    'decision-fits-what-is-there',
  ],
  [
    'a phase changed on the way',
    { kind: 'open-phases', path: second.path, phases: [{ ...openPhase, permille: 60 }, ...laterPhases.slice(1)] },
    before,
    'decision-fits-what-is-there',
  ],
  [
    'no phase more',
    { kind: 'open-phases', path: second.path, phases: [openPhase] },
    before,
    'decision-fits-what-is-there',
  ],
  [
    'a back-out on the path of a stop',
    { kind: 'back-out-from', path: stopPath, from: 'x' },
    before,
    'decision-fits-the-role',
  ],
  ['a go in the stop role', go, stops, 'decision-fits-the-role'],
  ['a stop in a line', { kind: 'stop', path: stopPath, target: stopTarget }, before, 'decision-fits-the-role'],
  [
    'an emergency in a line',
    { kind: 'emergency', path: urgent.path, target: urgent.target },
    before,
    'decision-fits-the-role',
  ],
  [
    'a ratification of what is no emergency',
    { kind: 'ratify', emergencyPath: third.path, target: third.target },
    before,
    'decision-fits-the-role',
  ],
  ['a way back to what is not live', { ...go, returns: [fourth.path] }, before, 'decision-fits-what-is-there'],
  ['a way back to itself', { ...go, returns: [third.path] }, before, 'decision-fits-what-is-there'],
  ['a way back twice', { ...go, returns: [first.path, first.path] }, before, 'decision-fits-what-is-there'],
  [
    'a way back to what retires',
    { ...go, retires: [first.path], returns: [first.path] },
    before,
    'decision-fits-what-is-there',
  ],
  ['a go under the name of another release', { ...go, target: fourth.target }, before, 'decision-fits-the-role'],
]

test.each(misfits)('%s is no draft', (_name, decision, version, rule) => {
  expect(makeDraft(version, decision, now)).toMatchObject({ ok: false, error: { rule } })
})

test('whatever a server changes in a draft, a member signs the decision or nothing', () => {
  const honest = draftOf(go)
  const places = Object.keys(honest) as (keyof typeof honest)[]
  const timeless = (draft: object) => canonicalJson({ ...draft, expires: '', 'x-issued': '' })
  fc.assert(
    fc.property(fc.constantFrom(...places), fc.jsonValue(), (place, value) => {
      const draft = { ...honest, [place]: value }
      const review = reviewDraft(before, draft, go, now)
      // Only the dates may differ, within their bounds; everything else is the decision.
      expect(!review.ok || timeless(draft) === timeless(honest)).toBe(true)
    }),
    { numRuns: 500 },
  )
})
