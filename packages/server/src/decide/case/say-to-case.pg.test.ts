import type { CaseView } from '@bascule/contract/decide/case.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createDecideWorld, type DecideWorld, ruleOf, statementOf } from '../testing/decide-world.ts'
import { testKey } from '../testing/given-board.ts'

const ann = testKey('ann')
const ben = testKey('ben')
const cleo = testKey('cleo')
const mallory = testKey('mallory')
let world: DecideWorld

beforeEach(async () => {
  world = await createDecideWorld()
})
afterEach(async () => {
  await world[Symbol.asyncDispose]()
})

test('a no-go of two of three ends the question, and the next one takes the next counter', async () => {
  const releaseId = await world.plan()
  const caseId = await world.ask(releaseId)
  expect(await world.say(caseId, ann, { kind: 'no-go' })).toMatchObject({ state: 'open', dissent: [{}] })
  const closed = await world.say(caseId, ben, { kind: 'no-go' })
  expect(closed).toMatchObject({ state: 'no-go', counter: 1, audience: 6, draft: { state: 'withdrawn' } })
  expect(closed.devicesMayNow).toEqual(['Nobody may install it: the board said no.'])
  expect(await world.releaseState(releaseId)).toBe('planned')
  const again = await world.ask(releaseId)
  expect(await world.get<CaseView>(`/decide/cases/${again}`)).toMatchObject({ counter: 2, state: 'open', dissent: [] })
  const draft = await world.draftOf(again)
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
