import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  aRelease,
  aStop,
  first,
  honestWorld,
  keyOf,
  members,
  now,
  openPhase,
  publicOf,
  rootQuorums,
  second,
} from '#/testing/world.ts'
import { type BoardDecision, makeBoardDraft, reviewBoardDraft } from './board-draft.ts'
import { type DocumentDecision, decisionFrom } from './decision.ts'
import type { DelegatingSigned } from './documents.ts'
import { type RoleDecision, type VerifiedVersion, makeDraft, reviewDraft } from './draft.ts'
import { type RootDecision, makeRootDraft, reviewRootDraft } from './root-draft.ts'

const world = honestWorld()
const third = aRelease({ counter: 3 })
const urgent = aRelease({ counter: 3, kind: 'emergency' })
const [stopPath, stopTarget] = aStop(second)
const line: VerifiedVersion = {
  role: 'retail.pos',
  version: 7,
  targets: { [first.path]: first.target, [second.path]: second.target },
}
const emergency: VerifiedVersion = { role: 'retail.emergency', version: 2, targets: {} }
const stops: VerifiedVersion = { role: 'retail.stop', version: 1, targets: {} }
const members3 = { publicKeys: publicOf(members), threshold: 2 }
const levels = Object.fromEntries(publicOf(members).map((key) => [key, 3 as const]))

const aboutReleases: [VerifiedVersion, RoleDecision][] = [
  [line, { kind: 'go', path: third.path, target: third.target, retires: [first.path], returns: [second.path] }],
  [line, { kind: 'open-phases', path: second.path, phases: [openPhase, { ...openPhase, id: 'rest', order: 2 }] }],
  [line, { kind: 'withdraw', path: second.path }],
  [line, { kind: 'back-out-from', path: first.path, from: 'REL-0002' }],
  [line, { kind: 'renew' }],
  [line, { kind: 'ratify', emergencyPath: urgent.path, target: third.target }],
  [emergency, { kind: 'emergency', path: urgent.path, target: urgent.target }],
  [stops, { kind: 'stop', path: stopPath, target: stopTarget }],
  [
    { ...stops, targets: { [stopPath]: stopTarget } },
    { kind: 'lift-stop', path: stopPath },
  ],
]
const aboutDelegations: [string, BoardDecision][] = [
  ['retail', { kind: 'set-roles', roles: { 'retail.shop': { ...members3, levels, minLevel: 2 } } }],
  ['retail', { kind: 'remove-role', role: 'retail.kiosk' }],
  ['retail', { kind: 'renew' }],
  ['targets', { kind: 'set-roles', roles: { shop: members3, director: { ...members3, threshold: 1 } } }],
]
const aboutRoot: RootDecision[] = [{ kind: 'set-keys', ...rootQuorums() }, { kind: 'renew' }]

function overTheWire(role: string, decision: object): DocumentDecision['decision'] | undefined {
  return decisionFrom(role, JSON.parse(JSON.stringify(decision)))?.decision
}

test.each(aboutReleases)('a decision about releases comes over the wire as it was: $1.kind', (before, decision) => {
  const read = overTheWire(before.role, decision)
  expect(read).toEqual(decision)
  const draft = makeDraft(before, decision, now)
  expect(reviewDraft(before, draft.ok && draft.value, read as RoleDecision, now)).toMatchObject({ ok: true })
})

test.each(aboutDelegations)('a decision about %s comes over the wire as it was: $1.kind', (role, decision) => {
  const read = overTheWire(role, decision)
  expect(read).toEqual(decision)
  const before = world.state.roles[role]?.signed as DelegatingSigned
  const draft = makeBoardDraft(role, before, decision, now)
  expect(reviewBoardDraft(role, before, draft, read as BoardDecision, now)).toMatchObject({ ok: true })
})

test.each(aboutRoot)('a decision about the root comes over the wire as it was: $kind', (decision) => {
  const read = overTheWire('root', decision)
  expect(read).toEqual(decision)
  const before = world.state.root.signed
  const draft = makeRootDraft(before, decision, now)
  expect(reviewRootDraft(before, draft, read as RootDecision, now)).toMatchObject({ ok: true })
})

const key = keyOf('mona').publicKey
const [, go] = aboutReleases[0] as [VerifiedVersion, Extract<RoleDecision, { kind: 'go' }>]
const hostile: [string, string, unknown][] = [
  ['a field more', 'retail.pos', { kind: 'renew', quietly: true }],
  ['a field more inside', 'retail.pos', { ...go, target: { ...go.target, note: 'x' } }],
  [
    'a limit that nobody knows',
    'retail.pos',
    { ...go, target: { ...go.target, custom: { ...go.target.custom, x: 1 } } },
  ],
  ['no returns', 'retail.pos', { ...go, returns: undefined }],
  ['too many returns', 'retail.pos', { ...go, returns: Array.from({ length: 21 }, () => first.path) }],
  ['an endless path', 'retail.pos', { kind: 'withdraw', path: 'x'.repeat(301) }],
  ['a list', 'retail.pos', [{ kind: 'renew' }]],
  ['nothing', 'retail.pos', null],
  ['another kind', 'retail.pos', { kind: 'ship' }],
  ['a decision of governance in a line', 'retail.pos', { kind: 'remove-role', role: 'retail.pos' }],
  ['a decision about releases in a board', 'retail', { kind: 'withdraw', path: first.path }],
  ['a decision about the root in a board', 'retail', { kind: 'set-keys', ...rootQuorums() }],
  ['nobody in a role', 'retail', { kind: 'set-roles', roles: { 'retail.pos': { publicKeys: [], threshold: 1 } } }],
  ['half a threshold', 'retail', { kind: 'set-roles', roles: { 'retail.pos': { publicKeys: [key], threshold: 0.5 } } }],
  ['a threshold of 0', 'retail', { kind: 'set-roles', roles: { 'retail.pos': { publicKeys: [key], threshold: 0 } } }],
  [
    'a key in capitals',
    'retail',
    { kind: 'set-roles', roles: { 'retail.pos': { publicKeys: [key.toUpperCase()], threshold: 1 } } },
  ],
  ['a role that climbs', 'retail', { kind: 'set-roles', roles: { '../../evil': { publicKeys: [key], threshold: 1 } } }],
  [
    'a role that is not delegated',
    'retail',
    { kind: 'set-roles', roles: { snapshot: { publicKeys: [key], threshold: 1 } } },
  ],
  [
    'a role named constructor',
    'retail',
    { kind: 'set-roles', roles: { constructor: { publicKeys: [key], threshold: 1 } } },
  ],
  [
    'a role named __proto__',
    'retail',
    JSON.parse(`{"kind":"set-roles","roles":{"__proto__":{"publicKeys":["${key}"],"threshold":1}}}`),
  ],
  [
    'a fourth level',
    'retail',
    { kind: 'set-roles', roles: { 'retail.pos': { publicKeys: [key], threshold: 1, minLevel: 4 } } },
  ],
  ['a root without a timestamp', 'root', { kind: 'set-keys', ...rootQuorums(), timestamp: undefined }],
  ['a snapshot', 'snapshot', { kind: 'renew' }],
  ['a timestamp', 'timestamp', { kind: 'renew' }],
  ['the director', 'director', { kind: 'renew' }],
  ['a role that climbs, by name', '../root', { kind: 'renew' }],
]

test.each(hostile)('a decision with %s is not read', (_name, role, value) => {
  expect(decisionFrom(role, value)).toBeUndefined()
})

test('no decision from outside makes a tool throw: it is reviewed or not read', () => {
  const roles = fc.constantFrom('root', 'targets', 'retail', 'retail.pos', 'retail.emergency', 'retail.stop', 'x/y')
  const kinds = [...aboutReleases.map(([, one]) => one), ...aboutDelegations.map(([, one]) => one), ...aboutRoot]
  fc.assert(
    fc.property(roles, fc.constantFrom(...kinds), fc.string(), fc.jsonValue(), (role, decision, field, value) => {
      expect(() => reviewNothing(role, decisionFrom(role, { ...decision, [field]: value }))).not.toThrow()
    }),
    { numRuns: 500 },
  )
})

/** Reviews an empty draft of this decision, as a tool does with whatever a server sends. */
function reviewNothing(role: string, read: DocumentDecision | undefined): void {
  if (read?.document === 'delegations') reviewBoardDraft(role, undefined, {}, read.decision, now)
  if (read?.document === 'releases') reviewDraft({ role, version: 0, targets: {} }, {}, read.decision, now)
  if (read?.document === 'root') reviewRootDraft(undefined, {}, read.decision, now)
}
