import type { CaseRow, CaseView } from '@bascule/contract/decide/case.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { bodyOf, createDecideWorld, type DecideWorld, ruleOf } from '../testing/decide-world.ts'
import { testKey } from '../testing/given-board.ts'

const ann = testKey('ann')
const ben = testKey('ben')
const cleo = testKey('cleo')
const role = 'company.sales-desk'
let world: DecideWorld

beforeEach(async () => {
  world = await createDecideWorld()
})
afterEach(async () => {
  await world[Symbol.asyncDispose]()
})

test('an emergency goes out on its own path and leaves a debt that the board pays by ratifying', async () => {
  const releaseId = await world.plan()
  const emergency = await world.ask(releaseId, 'emergency')
  expect(await world.sign(emergency, ann, ben)).toMatchObject({ state: 'go', role: 'company.emergency' })
  expect(world.listed('company.emergency')).toEqual([`company/sales-desk/emergency/${releaseId}.json`])
  expect(await world.releaseState(releaseId)).toBe('authorised')

  const { items } = await world.get<{ items: CaseRow[] }>('/decide/cases?state=open')
  expect(items).toMatchObject([{ kind: 'ratify', releaseId, role, askedBy: 'Bascule' }])
  const debt = items[0]!.id
  expect(await world.sign(debt, ben, cleo)).toMatchObject({ state: 'go' })
  expect(world.listed()).toEqual([`company/sales-desk/normal/${releaseId}.json`])
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
  const propose = async (releaseId: CaseRow['releaseId'], kind: string) =>
    await world.propose(releaseId, { kind, reason: 'Tills freeze.' })
  const forgotten = bodyOf<{ caseId: CaseRow['id'] }>(await propose(one, 'stop')).caseId
  const { caseId } = bodyOf<{ caseId: CaseRow['id'] }>(await propose(two, 'stop'))
  const stopped = await world.sign(caseId, cleo)
  expect(stopped.state).toBe('go')
  expect(stopped.devicesMayNow).toEqual(['Nobody may install Sales Desk 2.0.0: it is on the stop list.'])
  expect(world.listed('company.stop')).toEqual([`company/sales-desk/stop/${two}.json`])
  expect((await world.draftOf(forgotten)).state).toBe('signing')
  await world.sign(forgotten, ann)
  expect(world.listed('company.stop')).toHaveLength(2)
  expect(ruleOf(await propose(two, 'stop'))).toBe('409 stop-is-new')
  await world.sign(bodyOf<{ caseId: CaseRow['id'] }>(await propose(two, 'lift-stop')).caseId, ben)
  expect(world.listed('company.stop')).toEqual([`company/sales-desk/stop/${one}.json`])
})

test('a withdrawn release leaves the list, and may be planned anew when it was not started', async () => {
  const releaseId = await world.plan()
  const go = await world.ask(releaseId)
  await world.sign(go, ann, ben)
  const { caseId } = bodyOf<{ caseId: CaseRow['id'] }>(
    await world.propose(releaseId, { kind: 'withdraw', reason: 'Wrong week.' }),
  )
  await world.sign(caseId, ann, cleo)
  expect(world.listed()).toEqual([])
  expect((await world.get<CaseView>(`/decide/cases/${go}`)).state).toBe('revoked')
  expect(await world.releaseState(releaseId)).toBe('planned')
})

test('devices may go back from a release when the board signs it afterwards', async () => {
  const [one, two] = [await world.plan(), await world.plan({ backOut: 'signed' })]
  for (const id of [one, two]) await world.sign(await world.ask(id), ann, ben)
  const ask = { kind: 'back-out-from', from: two, reason: 'It loses receipts.' }
  const { caseId } = bodyOf<{ caseId: CaseRow['id'] }>(await world.propose(one, ask))
  expect(ruleOf(await world.propose(one, ask))).toBe('409 question-is-new')
  const decided = await world.sign(caseId, ann, cleo)
  expect(decided.devicesMayNow).toEqual([`Devices with ${two} may go back to ${one}.`])
  const targets = world.targets()
  expect(targets[`company/sales-desk/normal/${one}.json`]?.custom.backoutFrom).toEqual([two])
  expect(ruleOf(await world.propose(one, { kind: 'open-phases', reason: 'Go on.' }))).toBe('409 phases-are-left')
})
