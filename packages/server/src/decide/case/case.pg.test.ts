import type { BoardView } from '@bascule/contract/decide/board.ts'
import type { CaseRow, CaseView } from '@bascule/contract/decide/case.ts'
import type { DraftView } from '@bascule/contract/decide/signing.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  bodyOf,
  createDecideWorld,
  type DecideWorld,
  registerKey,
  ruleOf,
  signaturesOf,
} from '../testing/decide-world.ts'
import { boardSays, testKey } from '../testing/given-board.ts'

const ann = testKey('ann')
const ben = testKey('ben')
const cleo = testKey('cleo')
const mallory = testKey('mallory')
const role = 'company.sales-desk'
let world: DecideWorld

beforeEach(async () => {
  world = await createDecideWorld()
})
afterEach(async () => {
  await world[Symbol.asyncDispose]()
})

test('two of three signatures let a release out, and one does not', async () => {
  const releaseId = await world.plan()
  const caseId = await world.ask(releaseId)
  const first = await world.sign(caseId, ann)
  expect(first).toMatchObject({ state: 'open', signatures: 1, threshold: 2, draft: { refusal: null } })
  expect(first.devicesMayNow).toEqual(['Nobody may install it: 1 of 2 signatures.'])
  expect(world.listed()).toEqual([])
  expect(await world.releaseState(releaseId)).toBe('accepting')

  const second = await world.sign(caseId, ben)
  expect(second).toMatchObject({ state: 'go', signatures: 2, audience: 6 })
  expect(second.devicesMayNow[0]).toBe('6 devices in 2 phases may install Sales Desk 2.0.0.')
  expect(world.listed()).toEqual([`company/sales-desk/normal/${releaseId}.json`])
  expect(await world.releaseState(releaseId)).toBe('authorised')
  const custom = world.targets()[second.path]?.custom
  expect(custom).toMatchObject({ counter: 1, release: releaseId, phases: [{ id: 'phase-1' }, { id: 'phase-2' }] })
})

test('the last signature carries a release out while the server runs by itself', async () => {
  await world.server.listen()
  const caseId = await world.ask(await world.plan())
  const draft = await world.draftOf(caseId)
  bodyOf(
    await world.ann.ask('POST', `/decide/drafts/${draft.id}/sign`, { signatures: signaturesOf(draft, [ann, ben]) }),
  )
  await expect.poll(async () => (await world.get<CaseView>(`/decide/cases/${caseId}`)).state).toBe('go')
})

test('a signature that does not count is refused with its reason', async () => {
  const caseId = await world.ask(await world.plan())
  const draft = await world.draftOf(caseId)
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
  expect((await world.draftOf(caseId)).documents[0]?.signatures).toHaveLength(1)
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
  const waiting = await world.draftOf(second)
  expect(waiting).toMatchObject({ state: 'queued', documents: [] })
  expect(
    ruleOf(await world.ann.ask('POST', `/decide/drafts/${waiting.id}/sign`, { signatures: [await aSignature()] })),
  ).toBe('409 draft-is-to-be-signed')
  await world.sign(first, ann, ben)
  const ready = await world.get<CaseView>(`/decide/cases/${second}`)
  expect(ready.draft?.state).toBe('signing')
  expect(ready.returnsTo).toEqual([one])
  await world.sign(second, ben, cleo)
  const targets = world.targets()
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
  expect(world.listed().map((path) => path.split('/')[3])).toEqual(ids.slice(1).map((id) => `${id}.json`))
  await world.server.db.updateTable('release').set({ state: 'rolling-out' }).where('id', '=', ids[1]!).execute()
  await world.sign(await world.ask(await world.plan()), ann, ben)
  expect(world.listed()).toContain(`company/sales-desk/normal/${ids[1]}.json`)
})

test('a question taken back frees the release and the queue', async () => {
  const [one, two] = [await world.plan(), await world.plan()]
  const [first, second] = [await world.ask(one), await world.ask(two)]
  bodyOf(await world.mira.ask('POST', `/decide/cases/${first}/withdraw`, { reason: 'A package was wrong.' }))
  expect(await world.releaseState(one)).toBe('planned')
  expect((await world.draftOf(second)).state).toBe('signing')
  expect(ruleOf(await world.mira.ask('POST', `/decide/cases/${first}/withdraw`, { reason: 'Again.' }))).toBe(
    '409 case-is-open',
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
  const draft = await world.draftOf(caseId)
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
