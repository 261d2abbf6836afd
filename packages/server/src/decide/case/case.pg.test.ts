import type { BoardView } from '@bascule/contract/decide/board.ts'
import type { CaseRow, CaseView } from '@bascule/contract/decide/case.ts'
import type { DraftView } from '@bascule/contract/decide/signing.ts'
import type { ReleasesSigned } from '@bascule/trust/tuf/documents.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  bodyOf,
  createDecideWorld,
  type DecideWorld,
  registerKey,
  ruleOf,
  signaturesOf,
  statementOf,
} from '../testing/decide-world.ts'
import { boardSays, testKey } from '../testing/given-board.ts'

const [ann, ben, cleo, mallory] = ['ann', 'ben', 'cleo', 'mallory'].map(testKey) as [
  ReturnType<typeof testKey>,
  ReturnType<typeof testKey>,
  ReturnType<typeof testKey>,
  ReturnType<typeof testKey>,
]
const role = 'company.sales-desk'
let world: DecideWorld

beforeEach(async () => {
  world = await createDecideWorld()
})
afterEach(async () => {
  await world[Symbol.asyncDispose]()
})

function listed(name = role): string[] {
  return Object.keys(world.signer.repository.state.roles[name]?.signed.targets ?? {})
}

function targetsOf(): ReleasesSigned['targets'] {
  const document = world.signer.repository.state.roles[role]
  return document ? (document.signed as ReleasesSigned).targets : {}
}

async function releaseState(id: string): Promise<string> {
  const row = await world.server.db.selectFrom('release').select('state').where('id', '=', id).executeTakeFirstOrThrow()
  return row.state
}

async function draftOf(caseId: string): Promise<DraftView> {
  const { draft } = await world.get<CaseView>(`/decide/cases/${caseId}`)
  if (!draft) throw new Error(`${caseId} has no draft`)
  return draft
}

test('two of three signatures let a release out, and one does not', async () => {
  const releaseId = await world.plan()
  const caseId = await world.ask(releaseId)
  const first = await world.sign(caseId, ann)
  expect(first).toMatchObject({ state: 'open', signatures: 1, threshold: 2 })
  expect(first.devicesMayNow).toEqual(['Nobody may install it: 1 of 2 signatures.'])
  expect(listed()).toEqual([])
  expect(await releaseState(releaseId)).toBe('accepting')

  const second = await world.sign(caseId, ben)
  expect(second).toMatchObject({ state: 'go', signatures: 2, audience: 6 })
  expect(second.devicesMayNow[0]).toBe('6 devices in 2 phases may install Sales Desk 2.0.0.')
  expect(listed()).toEqual([`company/sales-desk/normal/${releaseId}.json`])
  expect(await releaseState(releaseId)).toBe('authorised')
  const custom = targetsOf()[second.path]?.custom
  expect(custom).toMatchObject({ counter: 1, release: releaseId, phases: [{ id: 'phase-1' }, { id: 'phase-2' }] })
})

test('the last signature carries a release out while the server runs by itself', async () => {
  await world.server.listen()
  const caseId = await world.ask(await world.plan())
  const draft = await draftOf(caseId)
  bodyOf(
    await world.ann.ask('POST', `/decide/drafts/${draft.id}/sign`, { signatures: signaturesOf(draft, [ann, ben]) }),
  )
  await expect.poll(async () => (await world.get<CaseView>(`/decide/cases/${caseId}`)).state).toBe('go')
})

test('a signature that does not count is refused with its reason', async () => {
  const caseId = await world.ask(await world.plan())
  const draft = await draftOf(caseId)
  const send = async (signatures: unknown) =>
    ruleOf(await world.ann.ask('POST', `/decide/drafts/${draft.id}/sign`, { signatures }))
  expect(await send(signaturesOf(draft, [mallory]))).toBe('409 not-a-member')
  const [document] = draft.documents
  const other = { ...draft, documents: [{ ...document!, signed: { ...(document!.signed as object), version: 9 } }] }
  expect(await send(signaturesOf(other, [ann]))).toBe('409 signature-does-not-fit')
  expect(await send(signaturesOf(draft, [ann]).map((one) => ({ ...one, role: 'company.stop' })))).toBe(
    '409 draft-has-the-document',
  )
  await world.sign(caseId, ann)
  expect(await send(signaturesOf(draft, [ann]))).toBe('409 signed-already')
  expect((await draftOf(caseId)).documents[0]?.signatures).toHaveLength(1)
})

test('a signature after the quorum stays as evidence and changes nothing that was published', async () => {
  const caseId = await world.ask(await world.plan())
  await world.sign(caseId, ann, ben)
  const published = JSON.stringify(world.signer.repository.state.roles[role])
  const after = await world.sign(caseId, cleo)
  expect(after.signatures).toBe(3)
  expect(JSON.stringify(world.signer.repository.state.roles[role])).toBe(published)
})

test('two releases of one line are decided one after the other, and the second signs the way back to the first', async () => {
  const [one, two] = [await world.plan(), await world.plan({ version: '3.0.0' })]
  const [first, second] = [await world.ask(one), await world.ask(two)]
  const waiting = await draftOf(second)
  expect(waiting).toMatchObject({ state: 'queued', documents: [] })
  expect(
    ruleOf(await world.ann.ask('POST', `/decide/drafts/${waiting.id}/sign`, { signatures: [await aSignature()] })),
  ).toBe('409 draft-is-to-be-signed')
  await world.sign(first, ann, ben)
  const ready = await world.get<CaseView>(`/decide/cases/${second}`)
  expect(ready.draft?.state).toBe('signing')
  expect(ready.returnsTo).toEqual([one])
  await world.sign(second, ben, cleo)
  const targets = targetsOf()
  expect(targets[`company/sales-desk/normal/${one}.json`]?.custom.backoutFrom).toEqual([two])
})

async function aSignature() {
  return await Promise.resolve({ keyid: ann.keyId, sig: 'a'.repeat(128), role })
}

test('a plan that asks for a signed way back gets none with its Go', async () => {
  await world.sign(await world.ask(await world.plan()), ann, ben)
  const careful = await world.ask(await world.plan({ backOut: 'signed' }))
  expect((await world.get<CaseView>(`/decide/cases/${careful}`)).returnsTo).toEqual([])
})

test('a line keeps its five newest releases, and none leaves that devices are just getting', async () => {
  const ids = []
  for (let round = 0; round < 6; round += 1) {
    const id = await world.plan({ version: `${round}.0.0` })
    await boardSays(world.server.services, world.board, id, world.clock.now())
    await world.server.db.updateTable('release').set({ state: 'early-life' }).where('id', '=', id).execute()
    ids.push(id)
  }
  expect(listed().map((path) => path.split('/')[3])).toEqual(ids.slice(1).map((id) => `${id}.json`))
  await world.server.db.updateTable('release').set({ state: 'rolling-out' }).where('id', '=', ids[1]!).execute()
  await world.sign(await world.ask(await world.plan()), ann, ben)
  expect(listed()).toContain(`company/sales-desk/normal/${ids[1]}.json`)
})

test('a no-go of two of three ends the question, and the next one takes the next counter', async () => {
  const releaseId = await world.plan()
  const caseId = await world.ask(releaseId)
  expect(await world.say(caseId, ann, { kind: 'no-go' })).toMatchObject({ state: 'open', dissent: [{}] })
  const closed = await world.say(caseId, ben, { kind: 'no-go' })
  expect(closed).toMatchObject({ state: 'no-go', counter: 1, audience: 6, draft: { state: 'withdrawn' } })
  expect(closed.devicesMayNow).toEqual(['Nobody may install it: the board said no.'])
  expect(await releaseState(releaseId)).toBe('planned')
  const again = await world.ask(releaseId)
  expect(await world.get<CaseView>(`/decide/cases/${again}`)).toMatchObject({ counter: 2, state: 'open', dissent: [] })
  const draft = await draftOf(again)
  expect(await world.sign(again, ann, ben)).toMatchObject({ state: 'go', draft: { id: draft.id } })
})

test('dissent does not undo a quorum, and stays on the page of the case', async () => {
  const caseId = await world.ask(await world.plan())
  await world.say(caseId, cleo, { kind: 'no-go' })
  const decided = await world.sign(caseId, ann, ben)
  expect(decided).toMatchObject({ state: 'go', dissent: [{ reason: 'The test lab is not done.' }] })
})

test('a question that is put off is asked again on its day, about what is frozen then', async () => {
  const releaseId = await world.plan()
  const caseId = await world.ask(releaseId)
  await world.say(caseId, ann, { kind: 'defer', untilOn: '2026-12-01' })
  const deferred = await world.say(caseId, ben, { kind: 'defer', untilOn: '2026-12-03' })
  expect(deferred.state).toBe('deferred')
  expect(deferred.devicesMayNow).toEqual(['Nobody may install it: the board decides again on 3 December 2026.'])
  world.clock.set(Temporal.Instant.from('2026-12-02T23:59:59Z'))
  await world.settle()
  expect((await world.get<CaseView>(`/decide/cases/${caseId}`)).state).toBe('deferred')
  world.clock.set(Temporal.Instant.from('2026-12-03T00:00:00Z'))
  await world.settle()
  const reopened = await world.get<CaseView>(`/decide/cases/${caseId}`)
  expect(reopened).toMatchObject({ state: 'open', counter: 2, draft: { state: 'signing' } })
  expect(reopened.votes.map(({ said }) => said)).toEqual(['nothing-yet', 'nothing-yet', 'nothing-yet'])
  expect((await world.sign(caseId, ann, ben)).state).toBe('go')
})

test('a release that cannot be asked about on its day ends the question and says why', async () => {
  const releaseId = await world.plan()
  const caseId = await world.ask(releaseId)
  for (const key of [ann, ben]) await world.say(caseId, key, { kind: 'defer', untilOn: '2026-12-01' })
  await world.server.db.updateTable('release').set({ state: 'cancelled' }).where('id', '=', releaseId).execute()
  world.clock.set(Temporal.Instant.from('2026-12-01T00:00:00Z'))
  await world.settle()
  expect((await world.get<CaseView>(`/decide/cases/${caseId}`)).state).toBe('superseded')
  const fact = await world.server.db
    .selectFrom('ledger')
    .select('after')
    .where('did', '=', 'case.superseded')
    .executeTakeFirstOrThrow()
  expect(JSON.stringify(fact.after)).toContain('cancelled')
})

test('a statement counts only when a member signed it about exactly this question', async () => {
  const caseId = await world.ask(await world.plan())
  const view = await world.get<CaseView>(`/decide/cases/${caseId}`)
  const send = async (statement: unknown) =>
    ruleOf(await world.ann.ask('POST', `/decide/cases/${caseId}/statements`, { statement }))
  const at = world.clock.now()
  const noGo = { kind: 'no-go' } as const
  expect(await send(statementOf(view, mallory, noGo, at))).toBe('409 not-a-member')
  expect(await send(statementOf({ ...view, id: 'CASE-0099' as never }, ann, noGo, at))).toBe(
    '409 statement-is-authentic',
  )
  expect(await send(statementOf({ ...view, manifestSha256: 'e'.repeat(64) }, ann, noGo, at))).toBe(
    '409 statement-is-authentic',
  )
  const forged = statementOf(view, ann, noGo, at)
  expect(await send({ ...forged, signed: { ...forged.signed, reason: 'Something else.' } })).toBe(
    '409 statement-is-authentic',
  )
  expect(await send(statementOf(view, ann, { kind: 'defer', untilOn: '2026-11-23' }, at))).toContain('400')
  await world.sign(caseId, ann)
  expect(await send(statementOf(view, ann, noGo, at))).toBe('409 signed-already')
})

test('a question taken back frees the release and the queue', async () => {
  const [one, two] = [await world.plan(), await world.plan()]
  const [first, second] = [await world.ask(one), await world.ask(two)]
  bodyOf(await world.mira.ask('POST', `/decide/cases/${first}/withdraw`, { reason: 'A package was wrong.' }))
  expect(await releaseState(one)).toBe('planned')
  expect((await draftOf(second)).state).toBe('signing')
  expect(ruleOf(await world.mira.ask('POST', `/decide/cases/${first}/withdraw`, { reason: 'Again.' }))).toBe(
    '409 case-is-open',
  )
})

test('an emergency goes out on its own path and leaves a debt that the board pays by ratifying', async () => {
  const releaseId = await world.plan()
  const emergency = await world.ask(releaseId, 'emergency')
  expect(await world.sign(emergency, ann, ben)).toMatchObject({ state: 'go', role: 'company.emergency' })
  expect(listed('company.emergency')).toEqual([`company/sales-desk/emergency/${releaseId}.json`])
  expect(await releaseState(releaseId)).toBe('authorised')

  const { items } = await world.get<{ items: CaseRow[] }>('/decide/cases?state=open')
  expect(items).toMatchObject([{ kind: 'ratify', releaseId, role, askedBy: 'Bascule' }])
  const debt = items[0]!.id
  expect(await world.sign(debt, ben, cleo)).toMatchObject({ state: 'go' })
  expect(listed()).toEqual([`company/sales-desk/normal/${releaseId}.json`])
  expect((await world.get<CaseView>(`/decide/cases/${emergency}`)).state).toBe('fulfilled')
})

test('an emergency that nobody ratifies is over with its file', async () => {
  const caseId = await world.ask(await world.plan(), 'emergency')
  await world.sign(caseId, ann, ben)
  world.clock.advance({ hours: 24 * 14 - 1 })
  await world.settle()
  expect((await world.get<CaseView>(`/decide/cases/${caseId}`)).state).toBe('go')
  world.clock.advance({ hours: 1 })
  await world.settle()
  expect((await world.get<CaseView>(`/decide/cases/${caseId}`)).state).toBe('expired')
})

test('one member stops a release at once, even beside another stop, and a stop is lifted again', async () => {
  const [one, two] = [await world.plan(), await world.plan()]
  for (const id of [one, two]) await world.sign(await world.ask(id), ann, ben)
  const propose = async (releaseId: string, kind: string) =>
    await world.ann.ask('POST', `/releases/${releaseId}/cases`, { kind, reason: 'Tills freeze.' })
  const forgotten = bodyOf<{ caseId: CaseRow['id'] }>(await propose(one, 'stop')).caseId
  const { caseId } = bodyOf<{ caseId: CaseRow['id'] }>(await propose(two, 'stop'))
  const stopped = await world.sign(caseId, cleo)
  expect(stopped.state).toBe('go')
  expect(stopped.devicesMayNow).toEqual(['Nobody may install Sales Desk 2.0.0: it is on the stop list.'])
  expect(listed('company.stop')).toEqual([`company/sales-desk/stop/${two}.json`])
  expect((await draftOf(forgotten)).state).toBe('signing')
  await world.sign(forgotten, ann)
  expect(listed('company.stop')).toHaveLength(2)
  expect(ruleOf(await propose(two, 'stop'))).toBe('409 stop-is-new')
  await world.sign(bodyOf<{ caseId: CaseRow['id'] }>(await propose(two, 'lift-stop')).caseId, ben)
  expect(listed('company.stop')).toEqual([`company/sales-desk/stop/${one}.json`])
})

test('a withdrawn release leaves the list, and may be planned anew when it was not started', async () => {
  const releaseId = await world.plan()
  const go = await world.ask(releaseId)
  await world.sign(go, ann, ben)
  const { caseId } = bodyOf<{ caseId: CaseRow['id'] }>(
    await world.ann.ask('POST', `/releases/${releaseId}/cases`, { kind: 'withdraw', reason: 'Wrong week.' }),
  )
  await world.sign(caseId, ann, cleo)
  expect(listed()).toEqual([])
  expect((await world.get<CaseView>(`/decide/cases/${go}`)).state).toBe('revoked')
  expect(await releaseState(releaseId)).toBe('planned')
})

test('devices may go back from a release when the board signs it afterwards', async () => {
  const [one, two] = [await world.plan(), await world.plan({ backOut: 'signed' })]
  for (const id of [one, two]) await world.sign(await world.ask(id), ann, ben)
  const ask = { kind: 'back-out-from', from: two, reason: 'It loses receipts.' }
  const { caseId } = bodyOf<{ caseId: CaseRow['id'] }>(await world.ann.ask('POST', `/releases/${one}/cases`, ask))
  expect(ruleOf(await world.ann.ask('POST', `/releases/${one}/cases`, ask))).toBe('409 question-is-new')
  const decided = await world.sign(caseId, ann, cleo)
  expect(decided.devicesMayNow).toEqual([`Devices with ${two} may go back to ${one}.`])
  const targets = targetsOf()
  expect(targets[`company/sales-desk/normal/${one}.json`]?.custom.backoutFrom).toEqual([two])
  expect(ruleOf(await world.ann.ask('POST', `/releases/${one}/cases`, { kind: 'open-phases', reason: 'Go on.' }))).toBe(
    '409 phases-are-left',
  )
})

test('the case page says who asked and also signs, and who has two keys', async () => {
  bodyOf(await registerKey(world.ann, ann))
  bodyOf(await registerKey(world.ann, ben))
  const { db } = world.server
  const caseId = await world.ask(await world.plan())
  await db.updateTable('decision_case').set({ asked_by_id: world.ann.personId, asked_by: 'Ann' }).execute()
  const view = await world.sign(caseId, ann)
  expect(view.notMet.map(({ rule }) => rule)).toEqual(['one-person-one-key', 'asker-is-not-the-decider'])
  expect(view.notMet[1]?.fact).toBe('This was asked by Ann, who also signs.')
  expect(view.votes[0]).toMatchObject({ name: 'Ann', said: 'go', roles: ['Board member'] })
})

test('cases and drafts are found by the key that they wait for, and the board shows both', async () => {
  const caseId = await world.ask(await world.plan())
  const waiting = async (keyId: string) =>
    (await world.get<{ items: CaseRow[] }>(`/decide/cases?keyId=${keyId}`)).items.map(({ id }) => id)
  expect(await waiting(ann.keyId)).toEqual([caseId])
  expect(await waiting(mallory.keyId)).toEqual([])
  await world.sign(caseId, ann)
  expect(await waiting(ann.keyId)).toEqual([])
  expect(await waiting(ben.keyId)).toEqual([caseId])
  const drafts = async (keyId: string) =>
    (await world.get<{ items: DraftView[] }>(`/decide/drafts?keyId=${keyId}`)).items.length
  expect([await drafts(ann.keyId), await drafts(ben.keyId)]).toEqual([0, 1])
  await world.sign(caseId, ben)
  const board = await world.get<BoardView>('/decide/boards/company')
  expect(board).toMatchObject({ isOnePerson: false, level: null, productLines: ['sales-desk'], openCases: [] })
  expect(board.register).toMatchObject([{ id: caseId, state: 'go', signatures: 2 }])
})

test('who may not ask, sign or compose gets a refusal that names the permission', async () => {
  const releaseId = await world.plan()
  const caseId = await world.ask(releaseId)
  const draft = await draftOf(caseId)
  const status = async (reply: Promise<{ statusCode: number }>) => (await reply).statusCode
  expect(await status(world.ann.ask('POST', `/releases/${releaseId}/ask-board`, { path: 'normal' }))).toBe(403)
  const signatures = signaturesOf(draft, [ann])
  expect(await status(world.mira.ask('POST', `/decide/drafts/${draft.id}/sign`, { signatures }))).toBe(403)
  expect(await status(world.ann.ask('POST', `/decide/cases/${caseId}/withdraw`, { reason: 'No.' }))).toBe(403)
  const propose = { kind: 'stop', reason: 'No.' }
  expect(await status(world.mira.ask('POST', `/releases/${releaseId}/cases`, propose))).toBe(403)
  const governance = { title: 'x', kind: 'governance', documents: [{ role, decision: {}, signed: {}, signatures: [] }] }
  expect(await status(world.ann.ask('POST', '/decide/drafts', governance))).toBe(403)
})

test('a release whose line has no board is not frozen, and neither is one before the first ceremony', async () => {
  await world.server.db
    .insertInto('product_line')
    .values({
      id: crypto.randomUUID() as never,
      code: 'kiosk',
      name: 'Kiosk',
      board_name: null,
      created_at: world.clock.now(),
      retired_at: null,
    })
    .execute()
  const orphan = await world.plan({ productLine: 'kiosk' })
  expect(ruleOf(await world.mira.ask('POST', `/releases/${orphan}/ask-board`, { path: 'normal' }))).toBe(
    '409 line-has-a-board',
  )
  await using bare = await createDecideWorld({ withBoard: false })
  const releaseId = await bare.plan()
  expect(ruleOf(await bare.mira.ask('POST', `/releases/${releaseId}/ask-board`, { path: 'normal' }))).toBe(
    '409 authority-is-set-up',
  )
})
