import { expect, test } from 'vitest'
import { signDocument } from '#/envelope.ts'
import {
  custodians,
  honestWorld,
  keyOf,
  members,
  now,
  online,
  otherMembers,
  outsider,
  publicOf,
} from '#/testing/world.ts'
import { type BoardDecision, makeBoardDraft, reviewBoardDraft } from './board-draft.ts'
import type { DelegatingSigned } from './documents.ts'
import { publish } from './publish.ts'

const world = honestWorld()
const board = world.state.roles['retail']?.signed as DelegatingSigned
const stay = [keyOf('mira'), keyOf('new')]
const [mona, milo] = [keyOf('mona'), keyOf('milo')]
const leave: BoardDecision = {
  kind: 'set-roles',
  roles: { 'retail.pos': { publicKeys: publicOf(stay), threshold: 2 } },
}

test('a member who leaves and one who joins are shown by their keys', () => {
  const review = reviewBoardDraft('retail', board, makeBoardDraft('retail', board, leave, now), leave, now)
  expect(review).toMatchObject({ ok: true, value: { delegator: 'retail', version: 2 } })
  expect(review.ok && review.value.changes).toEqual([
    {
      role: 'retail.pos',
      joins: [keyOf('new').keyId],
      leaves: [mona.keyId, milo.keyId],
      threshold: { before: 2, after: 2 },
    },
  ])
})

test.each<[string, BoardDecision, number]>([
  [
    'another quorum',
    { kind: 'set-roles', roles: { 'retail.pos': { publicKeys: publicOf(members), threshold: 3 } } },
    1,
  ],
  ['a new line', { kind: 'set-roles', roles: { 'retail.shop': { publicKeys: publicOf(members), threshold: 2 } } }, 1],
  ['a line less', { kind: 'remove-role', role: 'retail.kiosk' }, 1],
  ['a renewal', { kind: 'renew' }, 0],
])('%s is a decision of governance', (_name, decision, changes) => {
  const review = reviewBoardDraft('retail', board, makeBoardDraft('retail', board, decision, now), decision, now)
  expect(review.ok && review.value.changes).toHaveLength(changes)
})

test('a decision that was stored with its roles in another order is the same decision', () => {
  const quorum = { publicKeys: publicOf(members), threshold: 2 }
  const decided: BoardDecision = { kind: 'set-roles', roles: { 'retail.shop': quorum, 'retail.app': quorum } }
  const stored: BoardDecision = { kind: 'set-roles', roles: { 'retail.app': quorum, 'retail.shop': quorum } }
  const draft = makeBoardDraft('retail', board, decided, now)
  expect(reviewBoardDraft('retail', board, draft, stored, now).ok).toBe(true)
})

test('how keys are kept is carried on', () => {
  const levels = Object.fromEntries(publicOf(members).map((key) => [key, 3 as const]))
  const quorum = { publicKeys: publicOf(members), threshold: 2, levels, minLevel: 2 as const }
  const strict = makeBoardDraft('retail', board, { kind: 'set-roles', roles: { 'retail.pos': quorum } }, now)
  const renew: BoardDecision = { kind: 'renew' }
  const again = makeBoardDraft('retail', strict, renew, now)
  expect(again.delegations).toEqual(strict.delegations)
  expect(reviewBoardDraft('retail', strict, again, renew, now).ok).toBe(true)
})

test('custodians exchange the director, and the boards stay', () => {
  const before = world.state.roles['targets']?.signed as DelegatingSigned
  const decision: BoardDecision = {
    kind: 'set-roles',
    roles: { director: { publicKeys: [keyOf('new director').publicKey], threshold: 1 } },
  }
  const draft = makeBoardDraft('targets', before, decision, now)
  const review = reviewBoardDraft('targets', before, draft, decision, now)
  expect(review.ok && review.value.changes.map(({ role }) => role)).toEqual(['director'])
  const targets = signDocument(draft, custodians)
  expect(publish(world.state, { targets }, { online, at: now }).ok).toBe(true)
})

const aliased = { ...board.delegations.keys, ['0'.repeat(64)]: board.delegations.keys[mona.keyId] }
const lies: [string, string, (draft: DelegatingSigned) => object][] = [
  [
    'a stranger among the members',
    'draft-is-the-decision-and-nothing-else',
    () =>
      makeBoardDraft(
        'retail',
        board,
        { kind: 'set-roles', roles: { 'retail.pos': { publicKeys: publicOf([...stay, outsider]), threshold: 2 } } },
        now,
      ),
  ],
  [
    'another role changed as well',
    'draft-is-the-decision-and-nothing-else',
    () =>
      makeBoardDraft('retail', makeBoardDraft('retail', undefined, { kind: 'set-roles', roles: {} }, now), leave, now),
  ],
  [
    'a role of another board',
    'draft-keys-are-sound',
    (d) => withRole(d, { name: 'ops.net', paths: ['ops/net/normal/*'] }),
  ],
  ['a wider pattern', 'draft-keys-are-sound', (d) => withRole(d, { paths: ['retail/*/*/*'] })],
  ['a threshold above the members', 'draft-keys-are-sound', (d) => withRole(d, { threshold: 9 })],
  ['a key under two ids', 'draft-keys-are-sound', (d) => ({ ...d, delegations: { ...d.delegations, keys: aliased } })],
  ['a target', 'draft-has-a-form', (d) => ({ ...d, targets: { 'retail/pos/normal/x.json': {} } })],
  ['a version ahead', 'draft-is-the-next-version', (d) => ({ ...d, version: 5 })],
  ['a life of years', 'draft-lives-in-bounds', (d) => ({ ...d, expires: '2030-01-01T00:00:00Z' })],
]

test.each(lies)('a draft with %s is not signed: %s', (name, rule, lie) => {
  const draft = {
    ...lie(makeBoardDraft('retail', board, leave, now)),
    ...(name.startsWith('another') ? { version: 2 } : {}),
  }
  expect(reviewBoardDraft('retail', board, draft, leave, now)).toMatchObject({ ok: false, error: { rule } })
})

test.each(['ops.net', 'ops', '../evil', 'snapshot'])('a decision about %s is none of this board', (role) => {
  const foreign: BoardDecision = {
    kind: 'set-roles',
    roles: { [role]: { publicKeys: publicOf(members), threshold: 1 } },
  }
  const honest = makeBoardDraft('retail', board, { kind: 'renew' }, now)
  expect(reviewBoardDraft('retail', board, honest, foreign, now)).toMatchObject({
    error: { rule: 'draft-is-the-decision-and-nothing-else' },
  })
})

test('a first board is a decision too', () => {
  const decision: BoardDecision = {
    kind: 'set-roles',
    roles: { 'shop.web': { publicKeys: publicOf(otherMembers), threshold: 2 } },
  }
  const review = reviewBoardDraft('shop', undefined, makeBoardDraft('shop', undefined, decision, now), decision, now)
  expect(review).toMatchObject({ ok: true, value: { version: 1, changes: [{ role: 'shop.web' }] } })
})

function withRole(draft: DelegatingSigned, over: object): object {
  const [role, ...rest] = draft.delegations.roles
  return { ...draft, delegations: { ...draft.delegations, roles: [{ ...role, ...over }, ...rest] } }
}
