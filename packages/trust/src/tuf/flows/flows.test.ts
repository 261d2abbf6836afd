import { expect, test } from 'vitest'
import type { VerifiedAuthority } from '#/client/verified-authority.ts'
import type { KeyPair } from '#/keys.ts'
import {
  custodians,
  dan,
  documentsIn,
  dora,
  enough,
  envelopes,
  everybody,
  everyFileIsSigned,
  milo,
  mona,
  newOnline,
  onlineKeys,
  onlineOf,
  plan,
  publicKeysOf,
  published,
  signed,
} from '#/testing/ceremony.ts'
import { aRelease, now, outsider } from '#/testing/world.ts'
import { type RoleSigned, fileBytesOf } from '#/tuf/documents.ts'
import { makeDraft, verifiedVersionOf } from '#/tuf/draft.ts'
import { publish } from '#/tuf/publish.ts'
import { governanceQuorum } from '#/tuf/quorums.ts'
import type { RepositoryDraft } from '#/tuf/repository-state.ts'
import { reviewCeremony, rolesToSign, rootFingerprint } from '#/tuf/review-ceremony.ts'
import { addLine, changeQuorum, join, leave, replaceLostKey } from './board-flows.ts'
import { replaceCustodian, rotateOnlineKeys } from './custodian-flows.ts'
import { type CeremonyPlan, firstCeremony } from './first-ceremony.ts'
import { type Proposal, renew } from './proposal.ts'

const start = await published(undefined, firstCeremony(plan, now), enough)

test('the first ceremony makes a repository that devices follow, with a file for every role', () => {
  expect(Object.keys(start.state.roles).sort()).toEqual(
    ['retail', 'retail.emergency', 'retail.kiosk', 'retail.pos', 'retail.stop', 'targets'].sort(),
  )
  expect(Object.keys(start.authority.failures)).toEqual([])
  expect(start.authority.roles['retail']).toMatchObject({ threshold: 3 })
  expect(start.authority.roles['retail.pos']).toMatchObject({ threshold: 2 })
  const anchor = start.files.get('1.root.json') ?? new Uint8Array()
  expect(rootFingerprint(start.state.root)).toHaveLength(64)
  expect(Buffer.from(fileBytesOf(start.state.root)).equals(anchor)).toBe(true)
})

test('a board of one person is possible, and needs exactly that person', async () => {
  const alone = { custodians: [mona.publicKey], custodianThreshold: 1, members: [{ publicKey: mona.publicKey }] }
  const proposal = firstCeremony({ ...plan, ...alone, quorum: 1, emergencyQuorum: 1 }, now)
  const state = await published(undefined, proposal, enough)
  expect(state.authority.roles['retail']).toMatchObject({ threshold: 1, signers: [mona.keyId] })
})

test.each<[string, Partial<CeremonyPlan>, string]>([
  ['more signatures than custodians', { custodianThreshold: 4 }, 'draft-keys-are-sound'],
  ['more signatures than members', { quorum: 4 }, 'draft-keys-are-sound'],
  ['a member twice', { members: [...plan.members, ...plan.members] }, 'draft-keys-are-sound'],
  [
    'a weaker key than the board accepts',
    { minLevel: 2, members: [{ publicKey: dan.publicKey, level: 1 }, ...plan.members] },
    'draft-keys-are-sound',
  ],
  ['a board whose name climbs', { board: '../evil' }, 'code-is-a-code'],
  ['a line named stop', { lines: ['stop'] }, 'code-is-a-code'],
])('a first ceremony with %s is no proposal', (_name, over, rule) => {
  expect(firstCeremony({ ...plan, ...over }, now)).toMatchObject({ ok: false, error: { rule } })
})

test('a second first ceremony would be another anchor', () => {
  expect(firstCeremony(plan, now, start.state)).toMatchObject({ error: { rule: 'root-is-new' } })
})

/** Every flow, who has to sign something of it, and what a device sees afterwards. */
const flows: [string, (at: RepositoryDraft) => Proposal, readonly string[], (authority: VerifiedAuthority) => void][] =
  [
    [
      'a new line',
      (at) => addLine(at, { board: 'retail', line: 'web' }, now),
      ['retail', 'retail.web'],
      ({ roles }) => expect(roles['retail.web']).toMatchObject({ version: 1, threshold: 2 }),
    ],
    [
      'somebody who joins',
      (at) => join(at, { board: 'retail', member: { publicKey: dan.publicKey, level: 3 } }, now),
      ['targets', 'retail'],
      ({ roles }) => {
        expect(JSON.stringify(roles['retail']?.signed)).toContain(dan.publicKey)
        expect(roles['retail']?.threshold).toBe(3)
      },
    ],
    [
      'somebody who leaves',
      (at) => leave(at, { board: 'retail', keyId: mona.keyId }, now),
      ['targets', 'retail', 'retail.emergency', 'retail.kiosk', 'retail.pos', 'retail.stop'],
      ({ roles }) => {
        expect(JSON.stringify(roles['retail']?.signed)).not.toContain(mona.publicKey)
        expect(roles['retail.pos']?.threshold).toBe(2)
      },
    ],
    [
      'a lost key',
      (at) =>
        replaceLostKey(at, { board: 'retail', lost: mona.keyId, member: { publicKey: dan.publicKey, level: 3 } }, now),
      ['targets', 'retail', 'retail.emergency', 'retail.kiosk', 'retail.pos', 'retail.stop'],
      ({ roles }) => expect(JSON.stringify(roles['retail']?.signed)).not.toContain(mona.publicKey),
    ],
    [
      'another quorum',
      (at) => changeQuorum(at, { board: 'retail', quorum: 3 }, now),
      ['retail', 'retail.kiosk', 'retail.pos'],
      ({ roles }) => expect(roles['retail.pos']?.threshold).toBe(3),
    ],
    [
      'another director',
      (at) => rotateOnlineKeys(at, { director: newOnline.director.publicKey }, now),
      ['targets'],
      ({ director }) => expect(Object.keys(director.keys)).toEqual([newOnline.director.keyId]),
    ],
    [
      'another custodian',
      (at) => replaceCustodian(at, { leaves: custodians[0]?.keyId ?? '', joins: dora.publicKey }, now),
      ['root', 'targets'],
      ({ rootVersion }) => expect(rootVersion).toBe(2),
    ],
    [
      'a renewal',
      (at) => renew(at, ['root', 'targets', 'retail', 'retail.pos', 'retail.stop'], now),
      ['root', 'targets', 'retail', 'retail.pos', 'retail.stop'],
      ({ rootVersion, roles }) => expect([rootVersion, roles['retail.pos']?.version]).toEqual([2, 2]),
    ],
  ]

test.each(flows)('%s is signed by the right people and followed by a device', async (_name, flow, roles, seen) => {
  const proposal = flow(start.state)
  expect(documentsIn(proposal).map(({ role }) => role)).toEqual(roles)
  const after = await published(start, proposal, enough)
  expect(Object.keys(after.authority.failures)).toEqual([])
  seen(after.authority)
})

test.each(flows)('%s with one signature too few of any document is not published', (_name, flow) => {
  const proposal = flow(start.state)
  for (const { role } of documentsIn(proposal)) {
    const documents = signed(start.state, proposal, (one, needed) =>
      one === role ? [outsider, ...needed.slice(1)] : needed,
    )
    const outcome = publish(start.state, documents, { online: onlineOf(onlineKeys), at: now })
    expect(outcome, role).toMatchObject({ ok: false, error: { rule: 'quorum-signed' } })
  }
})

test.each(flows)('%s without any one of its documents leaves nothing half done', (_name, flow) => {
  const proposal = flow(start.state)
  const documents = signed(start.state, proposal, enough)
  const parts = Object.keys(documents).map((role) => {
    const { [role]: _gone, ...rest } = documents
    return publish(start.state, rest, { online: onlineOf(onlineKeys), at: now })
  })
  // A part may stand alone where it is a change by itself; what must never happen is a file without its quorum.
  expect(parts.every((outcome) => !outcome.ok || everyFileIsSigned(outcome.value.state))).toBe(true)
})

test('stolen online keys are replaced, and devices follow the new ones', async () => {
  const proposal = rotateOnlineKeys(start.state, publicKeysOf(newOnline), now)
  expect(documentsIn(proposal).map(({ role }) => role)).toEqual(['root', 'targets'])
  const after = await published(start, proposal, enough, newOnline)
  expect(after.authority.rootVersion).toBe(2)
  expect(Object.keys(after.authority.director.keys)).toEqual([newOnline.director.keyId])
  const old = publish(after.state, {}, { online: onlineOf(onlineKeys), at: now })
  expect(old).toMatchObject({ ok: false, error: { rule: 'online-keys-are-named-by-the-root' } })
})

test('who left can sign nothing any more, and who joined can', async () => {
  const joined = await published(
    start,
    join(start.state, { board: 'retail', member: { publicKey: dan.publicKey } }, now),
    enough,
  )
  const left = await published(joined, leave(joined.state, { board: 'retail', keyId: mona.keyId }, now), enough)
  const again = documentsIn(renew(left.state, ['retail.pos'], now))
  const by = (keys: readonly KeyPair[]) =>
    publish(left.state, envelopes(again, keys), { online: onlineOf(onlineKeys), at: now })
  expect(by([mona, milo])).toMatchObject({ ok: false, error: { rule: 'quorum-signed' } })
  expect(by([dan, milo])).toMatchObject({ ok: true })
})

test('the custodians replace a lost key of a board that needs all its members', () => {
  const proposal = replaceLostKey(
    start.state,
    { board: 'retail', lost: mona.keyId, member: { publicKey: dan.publicKey } },
    now,
  )
  const documents = envelopes(
    documentsIn(proposal),
    everybody.filter(({ keyId }) => keyId !== mona.keyId),
  )
  expect(publish(start.state, documents, { online: onlineOf(onlineKeys), at: now })).toMatchObject({ ok: true })
})

test('each key is told which documents it has to sign', () => {
  const proposal = documentsIn(
    replaceCustodian(start.state, { leaves: custodians[0]?.keyId ?? '', joins: dora.publicKey }, now),
  )
  const review = reviewCeremony(start.state, proposal, now)
  if (!review.ok) throw new Error(review.error.fact)
  expect(rolesToSign(review.value, custodians[0]?.keyId ?? '')).toEqual(['root'])
  expect(rolesToSign(review.value, dora.keyId)).toEqual(['root', 'targets'])
  expect(rolesToSign(review.value, mona.keyId)).toEqual([])
})

test('an emergency does not live longer because somebody leaves, and is not renewed', async () => {
  const urgent = aRelease({ counter: 1, kind: 'emergency' })
  const before = start.state.roles['retail.emergency']?.signed as RoleSigned
  const end = now.add({ hours: 24 * 5 })
  const decision = { kind: 'emergency', path: urgent.path, target: urgent.target } as const
  const draft = makeDraft(verifiedVersionOf('retail.emergency', before), decision, now, end)
  if (!draft.ok) throw new Error(draft.error.fact)
  const out = await published(
    start,
    { ok: true, value: [{ role: 'retail.emergency', decision, signed: draft.value }] },
    enough,
  )
  const leaving = documentsIn(leave(out.state, { board: 'retail', keyId: mona.keyId }, now))
  expect(leaving.find(({ role }) => role === 'retail.emergency')?.signed.expires).toBe('2026-11-28T08:00:00Z')
  expect(renew(out.state, ['retail.emergency'], now)).toMatchObject({ error: { rule: 'emergency-is-ratified' } })
})

test.each<[string, (at: RepositoryDraft) => Proposal, string]>([
  ['a line that is there', (at) => addLine(at, { board: 'retail', line: 'pos' }, now), 'line-is-new'],
  ['a line of no board', (at) => addLine(at, { board: 'ops', line: 'web' }, now), 'board-is-there'],
  ['a line that is no code', (at) => addLine(at, { board: 'retail', line: 'normal' }, now), 'code-is-a-code'],
  ['a member who is there', (at) => join(at, { board: 'retail', member: mona }, now), 'member-is-new'],
  ['a stranger who leaves', (at) => leave(at, { board: 'retail', keyId: dan.keyId }, now), 'member-is-there'],
  [
    'a stranger whose key is lost',
    (at) => replaceLostKey(at, { board: 'retail', lost: dan.keyId, member: dora }, now),
    'member-is-there',
  ],
  [
    'a lost key replaced by a member',
    (at) => replaceLostKey(at, { board: 'retail', lost: mona.keyId, member: milo }, now),
    'member-is-new',
  ],
  [
    'the quorum that is there',
    (at) => changeQuorum(at, { board: 'retail', quorum: 2 }, now),
    'change-changes-something',
  ],
  ['a quorum above the members', (at) => changeQuorum(at, { board: 'retail', quorum: 4 }, now), 'draft-keys-are-sound'],
  [
    'the online keys that are there',
    (at) => rotateOnlineKeys(at, publicKeysOf(onlineKeys), now),
    'change-changes-something',
  ],
  [
    'a stranger among the custodians',
    (at) => replaceCustodian(at, { leaves: mona.keyId, joins: dora.publicKey }, now),
    'custodian-is-there',
  ],
  [
    'a custodian twice',
    (at) => replaceCustodian(at, { leaves: custodians[0]?.keyId ?? '', joins: custodians[1]?.publicKey ?? '' }, now),
    'custodian-is-new',
  ],
  ['a renewal of nothing', (at) => renew(at, [], now), 'change-changes-something'],
  ['a renewal of what is not there', (at) => renew(at, ['retail.web'], now), 'role-is-there'],
])('%s is no wish that can be granted', (_name, flow, rule) => {
  expect(flow(start.state)).toMatchObject({ ok: false, error: { rule } })
})

test('the last member does not leave', async () => {
  const alone = { members: [{ publicKey: mona.publicKey }], quorum: 1, emergencyQuorum: 1 }
  const state = await published(undefined, firstCeremony({ ...plan, ...alone }, now), enough)
  expect(leave(state.state, { board: 'retail', keyId: mona.keyId }, now)).toMatchObject({
    error: { rule: 'somebody-stays' },
  })
})

test.each([
  [1, 1, 1],
  [2, 1, 2],
  [2, 2, 2],
  [3, 1, 2],
  [3, 2, 3],
  [5, 2, 3],
  [5, 3, 4],
  [5, 5, 5],
  [9, 2, 5],
])('of %i members of whom %i let a release out, %i change the board', (count, quorum, governance) => {
  expect(governanceQuorum(count, quorum)).toBe(governance)
})
