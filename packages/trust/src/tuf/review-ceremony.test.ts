import { expect, test } from 'vitest'
import { custodians, dan, documentsIn, milo, mona, plan, signed, enough } from '#/testing/ceremony.ts'
import { aRelease, first, goFor, honestWorld, now, outsider } from '#/testing/world.ts'
import { differenceWords } from './decision-words.ts'
import { fileBytesOf, type RootSigned } from './documents.ts'
import type { Envelope } from '#/envelope.ts'
import { sha256Hex } from '#/keys.ts'
import { firstCeremony } from './flows/first-ceremony.ts'
import { replaceCustodian } from './flows/custodian-flows.ts'
import { emptyRepository } from './repository-state.ts'
import { reviewAny } from './review-any.ts'
import {
  type CeremonyDocument,
  reviewCeremony,
  rolesToSign,
  rootFingerprint,
  signaturesMissing,
} from './review-ceremony.ts'

const world = honestWorld()
const proposal = firstCeremony(plan, now)
const documents: readonly CeremonyDocument[] = documentsIn(proposal)

function reviewOf(of: readonly CeremonyDocument[] = documents, before = emptyRepository) {
  const review = reviewCeremony(before, of, now)
  if (!review.ok) throw new Error(`${review.error.rule}: ${review.error.fact}`)
  return review.value
}

test('the first ceremony is reviewed as a whole, whoever names keys first', () => {
  const review = reviewOf(documents.toReversed())
  expect(review.isFirst).toBe(true)
  expect(review.documents.map(({ role }) => role).slice(0, 3)).toEqual(['root', 'targets', 'retail'])
  expect(review.documents).toHaveLength(documents.length)
  const words = review.documents.flatMap(({ difference }) => differenceWords(difference, (id) => id.slice(0, 6)))
  expect(words.join('\n')).toContain('retail.pos is new: 2 signatures')
})

test('each key is told what it has to sign, and once', () => {
  const review = reviewOf()
  expect(rolesToSign(review, custodians[0]?.keyId ?? '')).toEqual(['root', 'targets'])
  expect(rolesToSign(review, mona.keyId).sort()).toEqual([
    'retail',
    'retail.emergency',
    'retail.kiosk',
    'retail.pos',
    'retail.stop',
  ])
  expect(rolesToSign(review, outsider.keyId)).toEqual([])
  const half = documents.map((one) => ({ ...one, signatures: [{ keyid: mona.keyId, sig: 'a'.repeat(128) }] }))
  expect(rolesToSign(reviewOf(half), mona.keyId)).toEqual([])
  expect(rolesToSign(reviewOf(half), milo.keyId)).toContain('retail.pos')
  expect(reviewOf(half).documents.reduce((sum, one) => sum + signaturesMissing(one), 0)).toBe(9)
})

test('a change of the root asks the custodians of before and of after', () => {
  const [cora] = custodians
  const change = documentsIn(replaceCustodian(world.state, { leaves: cora?.keyId ?? '', joins: dan.publicKey }, now))
  const review = reviewOf(change, world.state)
  expect(review.documents[0]?.quorums).toHaveLength(2)
  expect(rolesToSign(review, cora?.keyId ?? '')).toEqual(['root'])
  expect(rolesToSign(review, dan.keyId)).toEqual(['root', 'targets'])
})

test('the fingerprint is that of the file, with the signatures that it is published with', () => {
  const root = signed(emptyRepository, proposal, enough)['root'] as Envelope<RootSigned>
  expect(rootFingerprint(root)).toBe(sha256Hex(fileBytesOf(root)))
  expect(rootFingerprint({ ...root, signatures: root.signatures.slice(1) })).not.toBe(rootFingerprint(root))
})

const board = documents.find(({ role }) => role === 'retail') as CeremonyDocument
const stolen = firstCeremony({ ...plan, members: [...plan.members, { publicKey: outsider.publicKey }] }, now)
const lies: [string, readonly CeremonyDocument[], string][] = [
  ['nothing', [], 'ceremony-has-a-form'],
  ['a document twice', [...documents, board], 'ceremony-has-a-form'],
  [
    'too many documents',
    Array.from({ length: 101 }, (_none, n) => ({ ...board, role: `b${n}` })),
    'ceremony-has-a-form',
  ],
  ['a role without a file', documents.filter(({ role }) => role !== 'retail.stop'), 'every-delegation-has-a-file'],
  ['no root', documents.filter(({ role }) => role !== 'root'), 'role-is-delegated'],
  ['a decision that is none', documents.map((one) => ({ ...one, decision: { kind: 'ship' } })), 'decision-has-a-form'],
  [
    'a file of the signer',
    [...documents, { role: 'snapshot', decision: { kind: 'renew' }, signed: {} }],
    'decision-has-a-form',
  ],
  [
    'a stranger in the board',
    documents.map((one) => (one.role === 'retail' ? { ...one, signed: strangerBoard() } : one)),
    'draft-is-the-decision-and-nothing-else',
  ],
  [
    'software from the beginning',
    documents.map((one) => (one.role === 'retail.pos' ? { ...one, signed: shipping() } : one)),
    'draft-is-the-decision-and-nothing-else',
  ],
]

test.each(lies)('a ceremony with %s is not signed by anybody', (_name, of, rule) => {
  expect(reviewCeremony(emptyRepository, of, now)).toMatchObject({ ok: false, error: { rule } })
})

test('one lie condemns what stands beside it', () => {
  const change = documentsIn(
    replaceCustodian(world.state, { leaves: custodians[0]?.keyId ?? '', joins: dan.publicKey }, now),
  )
  const partial = change.filter(({ role }) => role !== 'targets')
  // The custodians' file would lose a signature, so that no signer would publish the root alone.
  expect(reviewCeremony(world.state, partial, now)).toMatchObject({ error: { rule: 'every-file-keeps-its-quorum' } })
})

test('one function reviews whatever document it is', () => {
  const third = aRelease({ counter: 3 })
  const go = { kind: 'go', path: third.path, target: third.target, retires: [], returns: [first.path] }
  const before = world.state.roles['retail.pos']?.signed
  const honest = goFor(world, third).signed
  expect(reviewAny('retail.pos', before, honest, go, now)).toMatchObject({
    error: { rule: 'draft-is-the-decision-and-nothing-else' },
  })
  expect(reviewAny('retail.pos', before, honest, { ...go, returns: [] }, now)).toMatchObject({
    value: { document: 'releases', difference: { added: [third.path] } },
  })
  for (const { role, signed: document, decision } of documents) {
    expect(reviewAny(role, undefined, document, decision, now), role).toMatchObject({ ok: true, value: { role } })
  }
  expect(reviewAny('timestamp', undefined, {}, { kind: 'renew' }, now)).toMatchObject({
    error: { rule: 'decision-has-a-form' },
  })
})

function strangerBoard(): unknown {
  return documentsIn(stolen).find(({ role }) => role === 'retail')?.signed
}

function shipping(): unknown {
  const empty = documents.find(({ role }) => role === 'retail.pos')?.signed as object
  return { ...empty, targets: { [first.path]: first.target } }
}
