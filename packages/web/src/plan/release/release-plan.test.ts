import { expect, test } from 'vitest'
import { emptyDraft, planOf } from './release-plan.ts'

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
