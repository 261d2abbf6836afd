import type { DraftView } from '@bascule/contract/decide/signing.ts'
import type { CaseView } from '@bascule/contract/decide/case.ts'
import { signDocument } from '@bascule/trust/envelope.ts'
import type { KeyPair } from '@bascule/trust/keys.ts'
import { signersOf } from '@bascule/trust/tuf/attach-signature.ts'
import { type BoardDecision, makeBoardDraft } from '@bascule/trust/tuf/board-draft.ts'
import type { MemberQuorum } from '@bascule/trust/tuf/build.ts'
import type { DelegatingSigned, RoleSigned } from '@bascule/trust/tuf/documents.ts'
import type { Documents } from '@bascule/trust/tuf/publish.ts'
import { makeDraft, type RoleDecision, verifiedVersionOf } from '@bascule/trust/tuf/draft.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { pino } from 'pino'
import {
  bodyOf,
  createDecideWorld,
  type DecideWorld,
  registerKey,
  ruleOf,
  signaturesOf,
} from '../testing/decide-world.ts'
import { testKey } from '../testing/given-board.ts'
import { draftReconciler } from './draft.reconciler.ts'

const ann = testKey('ann')
const ben = testKey('ben')
const cleo = testKey('cleo')
const dora = testKey('dora')
const role = 'company.sales-desk'
let world: DecideWorld

beforeEach(async () => {
  world = await createDecideWorld()
})
afterEach(async () => {
  await world[Symbol.asyncDispose]()
})

function publishedVersion(name: string): number {
  return world.signer.repository.state.roles[name]?.signed.version ?? 0
}

function snapshotVersion(): number {
  return world.signer.repository.state.snapshot?.signed.version ?? 0
}

interface Proposed {
  readonly role: string
  readonly decision: BoardDecision | RoleDecision
  readonly signed: RoleSigned
}

/** What a member's tool makes of a change of people: the files that would lose their quorum are signed anew first. */
function changeOfMembers(members: readonly KeyPair[], threshold = 2): Proposed[] {
  const { state } = world.signer.repository
  const quorum = (count: number): MemberQuorum => ({
    publicKeys: members.map(({ publicKey }) => publicKey),
    threshold: count,
  })
  const roles = { [role]: quorum(threshold), 'company.emergency': quorum(threshold), 'company.stop': quorum(1) }
  const decision: BoardDecision = { kind: 'set-roles', roles }
  const at = world.clock.now()
  const signed = makeBoardDraft('company', state.roles['company']?.signed as DelegatingSigned, decision, at)
  const stay = { keys: signed.delegations.keys }
  const losing = Object.entries(roles).filter(([name, { threshold: least }]) => {
    const document = state.roles[name]
    return document !== undefined && signersOf(document, stay).length < least
  })
  const renewed = losing.map(([name]) => renewalOf(name))
  return [...renewed, { role: 'company', decision, signed }]
}

function renewalOf(name: string): Proposed {
  const before = world.signer.repository.state.roles[name]
  const made = before && makeDraft(verifiedVersionOf(name, before.signed), { kind: 'renew' }, world.clock.now())
  if (!made?.ok) throw new Error(`${name} cannot be renewed`)
  return { role: name, decision: { kind: 'renew' }, signed: made.value }
}

async function propose(documents: readonly Proposed[], signers: readonly KeyPair[]) {
  const signed = documents.map(({ role: name, decision, signed: document }) => ({
    role: name,
    decision,
    ...signDocument(document, signers),
  }))
  return await world.otto.ask('POST', '/decide/drafts', { title: 'Cleo leaves', kind: 'governance', documents: signed })
}

async function sign(draft: DraftView, ...signers: KeyPair[]): Promise<DraftView> {
  const path = `/decide/drafts/${draft.id}`
  bodyOf(await world.ann.ask('POST', `${path}/sign`, { signatures: signaturesOf(draft, signers) }))
  await world.settle()
  return await world.get<DraftView>(path)
}

test('a member leaves: the files that would lose their quorum are signed anew, and one snapshot publishes all of it', async () => {
  const releaseId = await world.plan()
  await world.sign(await world.ask(releaseId), ben, cleo)
  const before = snapshotVersion()
  const documents = changeOfMembers([ann, ben])
  expect(documents.map((one) => one.role)).toEqual([role, 'company'])
  const draft = bodyOf<DraftView>(await propose(documents, [ann]))
  await world.settle()
  expect(publishedVersion('company')).toBe(1)
  expect(await sign(draft, ben)).toMatchObject({ state: 'published', refusal: null })
  expect([publishedVersion('company'), publishedVersion(role)]).toEqual([2, 3])
  expect(snapshotVersion()).toBe(before + 1)
  const next = await world.ask(await world.plan())
  const view = await world.get<CaseView>(`/decide/cases/${next}`)
  expect(view.votes.map(({ keyId }) => keyId).toSorted()).toEqual([ann.keyId, ben.keyId].toSorted())
  expect((await world.sign(next, ann, ben)).state).toBe('go')
})

test('a member joins and decides from then on', async () => {
  const draft = bodyOf<DraftView>(await propose(changeOfMembers([ann, ben, cleo, dora]), [ann, ben]))
  await world.settle()
  expect((await world.get<DraftView>(`/decide/drafts/${draft.id}`)).state).toBe('published')
  expect((await world.sign(await world.ask(await world.plan()), cleo, dora)).state).toBe('go')
})

test('a change that comes before a Go has its quorum takes the version, and the Go is asked anew over it', async () => {
  const caseId = await world.ask(await world.plan())
  const first = await world.sign(caseId, ann)
  const renewal = bodyOf<DraftView>(await propose([renewalOf(role)], [ben, cleo]))
  await world.settle()
  expect((await world.get<DraftView>(`/decide/drafts/${renewal.id}`)).state).toBe('published')
  const again = await world.get<CaseView>(`/decide/cases/${caseId}`)
  expect(again).toMatchObject({ state: 'open', signatures: 0, draft: { state: 'signing' } })
  expect(again.draft?.id).not.toBe(first.draft?.id)
  const old = await world.get<DraftView>(`/decide/drafts/${first.draft?.id}`)
  expect(old).toMatchObject({ state: 'superseded', documents: [{ signatures: [{ keyid: ann.keyId }] }] })
  expect((await world.sign(caseId, ann, ben)).state).toBe('go')
})

test('a change that somebody else overtook says so', async () => {
  const late = bodyOf<DraftView>(await propose([renewalOf(role)], [ann]))
  await world.sign(await world.ask(await world.plan()), ann, ben)
  expect(await world.get<DraftView>(`/decide/drafts/${late.id}`)).toMatchObject({
    state: 'superseded',
    refusal: { rule: 'draft-is-the-next-version' },
  })
})

test('a draft that is more than its decision, stale or signed by a stranger is not taken', async () => {
  const [renewal] = [renewalOf(role)]
  const { signed } = renewal
  expect(ruleOf(await propose([{ ...renewal, signed: { ...signed, version: 7 } }], [ann]))).toBe(
    '409 draft-is-the-next-version',
  )
  expect(ruleOf(await propose([{ ...renewal, decision: { kind: 'withdraw', path: 'x' } }], [ann]))).toBe(
    '409 decision-fits-the-role',
  )
  expect(ruleOf(await propose([{ ...renewal, decision: { kind: 'burn' } as never }], [ann]))).toBe(
    '409 decision-has-a-form',
  )
  expect(ruleOf(await propose([renewal, renewal], [ann]))).toBe('409 draft-has-a-form')
  expect(ruleOf(await propose([renewal], [dora]))).toBe('409 not-a-member')
  const [, board] = [renewal, changeOfMembers([ann, ben]).at(-1)!]
  const more = { ...board, decision: { kind: 'renew' } as const }
  expect(ruleOf(await propose([more], [ann]))).toBe('409 draft-is-the-decision-and-nothing-else')
})

test('what the signer refuses is kept with its reason, and published when the rest comes', async () => {
  // Without the line's own file anew, Cleo would take a signature away from it.
  await world.sign(await world.ask(await world.plan()), ben, cleo)
  const board = changeOfMembers([ann, ben]).at(-1)!
  const draft = bodyOf<DraftView>(await propose([board], [ann, ben]))
  await world.settle()
  const refused = await world.get<DraftView>(`/decide/drafts/${draft.id}`)
  expect(refused).toMatchObject({ state: 'signing', refusal: { rule: 'every-file-keeps-its-quorum' } })
  bodyOf(await propose([renewalOf(role)], [ann, ben]))
  await world.settle()
  world.clock.advance({ minutes: 10 })
  await world.settle()
  expect((await world.get<DraftView>(`/decide/drafts/${draft.id}`)).state).toBe('published')
})

test('a server that was killed between publication and commit finds the draft published and writes it down', async () => {
  const releaseId = await world.plan()
  const caseId = await world.ask(releaseId)
  const { draft } = await world.get<CaseView>(`/decide/cases/${caseId}`)
  const document = draft!.documents[0]!
  const signatures = signaturesOf(draft, [ann, ben])
  bodyOf(await world.ann.ask('POST', `/decide/drafts/${draft!.id}/sign`, { signatures }))
  const { services, db } = world.server
  const documents = { [role]: signDocument(document.signed, [ann, ben]) } as Documents
  expect((await services.signer.publish(documents)).ok).toBe(true)
  // A late signature in between makes the collected document another one than the published.
  bodyOf(await world.ann.ask('POST', `/decide/drafts/${draft!.id}/sign`, { signatures: signaturesOf(draft, [cleo]) }))
  const versions = [publishedVersion(role), snapshotVersion()]

  const run = draftReconciler({ db, signer: services.signer, repository: services.repository })
  for (let times = 0; times < 2; times += 1) {
    await run(draft!.id, { now: world.clock.now(), log: pino({ level: 'silent' }) })
  }
  expect([publishedVersion(role), snapshotVersion()]).toEqual(versions)
  expect(await world.get<CaseView>(`/decide/cases/${caseId}`)).toMatchObject({
    state: 'go',
    draft: { state: 'published' },
  })
  const facts = await db.selectFrom('ledger').select('did').where('did', '=', 'release.authorised').execute()
  expect(facts).toHaveLength(1)
})

test('a draft that nobody signed in its life ends, and the question is asked anew', async () => {
  const caseId = await world.ask(await world.plan(), 'emergency')
  const before = await world.get<CaseView>(`/decide/cases/${caseId}`)
  world.clock.advance({ hours: 24 * 14 })
  await world.settle()
  expect((await world.get<DraftView>(`/decide/drafts/${before.draft?.id}`)).state).toBe('expired')
  const after = await world.get<CaseView>(`/decide/cases/${caseId}`)
  expect(after).toMatchObject({ state: 'open', draft: { state: 'signing' } })
})

test('a change of people can be taken back, and a question only on its case', async () => {
  const draft = bodyOf<DraftView>(await propose([renewalOf(role)], [ann]))
  const path = `/decide/drafts/${draft.id}`
  expect((await world.ann.ask('POST', `${path}/withdraw`, { reason: 'No.' })).statusCode).toBe(403)
  expect(bodyOf<DraftView>(await world.otto.ask('POST', `${path}/withdraw`, { reason: 'No.' })).state).toBe('withdrawn')
  expect(ruleOf(await world.ann.ask('POST', `${path}/sign`, { signatures: signaturesOf(draft, [ben]) }))).toBe(
    '409 draft-is-to-be-signed',
  )
  const caseId = await world.ask(await world.plan())
  const { draft: own } = await world.get<CaseView>(`/decide/cases/${caseId}`)
  expect(ruleOf(await world.otto.ask('POST', `/decide/drafts/${own?.id}/withdraw`, { reason: 'No.' }))).toBe(
    '409 draft-has-no-case',
  )
})

test('a role that asks for better kept keys takes no signature and no word of a key that is kept worse', async () => {
  const members = [ann, ben, cleo]
  const levels = Object.fromEntries(members.map(({ publicKey }) => [publicKey, 3 as const]))
  await using strict = await createDecideWorld({ members, quorum: { minLevel: 3, levels } })
  bodyOf(await registerKey(strict.ann, ann, 1))
  const caseId = await strict.ask(await strict.plan())
  const { draft } = await strict.get<CaseView>(`/decide/cases/${caseId}`)
  const path = `/decide/drafts/${draft?.id}/sign`
  expect(ruleOf(await strict.ann.ask('POST', path, { signatures: signaturesOf(draft, [ann]) }))).toBe(
    '409 key-is-kept-well-enough',
  )
  await expect(strict.say(caseId, ann, { kind: 'no-go' })).rejects.toThrow('key-is-kept-well-enough')
  expect((await strict.sign(caseId, ben, cleo)).state).toBe('go')
})
