import { expect, test } from 'vitest'
import { draftFrom, emptyDraft, planOf, type Release } from './release-plan.ts'

let keys = 0
const newKey = () => `k${(keys += 1)}`

test('percent and hours of the form become thousandths and seconds of the plan', () => {
  const draft = emptyDraft(newKey)
  const [pilot] = planOf({
    ...draft,
    phases: draft.phases.map((phase) => ({ ...phase, advancePercent: 97.5, soakHours: 1.5 })),
  }).phases
  expect(pilot).toMatchObject({ advanceAtPermille: 975, soakSeconds: 5400 })
})

test('the last phase of a new plan takes everybody who is left', () => {
  expect(planOf(emptyDraft(newKey)).phases.at(-1)?.query).toBe('')
})

test('a plan that is opened and saved untouched stays the same, its times too', () => {
  const draft = emptyDraft(newKey)
  const plan = planOf({
    ...draft,
    phases: draft.phases.map((phase) => ({ ...phase, notBefore: '2026-11-25T20:00', notAfter: '2026-11-26T06:00' })),
  })
  expect(planOf(draftFrom(plan as unknown as Release, newKey))).toEqual(plan)
})
