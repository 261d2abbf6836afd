import { expect, test } from 'vitest'
import { answerFrom } from './sign-window.ts'

test('an answer of another form is no answer', () => {
  for (const said of [
    null,
    'signed',
    {},
    { type: 'signed' },
    { type: 'signed', draftId: 1, signatures: [] },
    { type: 'key' },
  ]) {
    expect(answerFrom(said)).toBeUndefined()
  }
  const signed = { type: 'signed', draftId: 'x', signatures: [] }
  expect(answerFrom(signed)).toEqual(signed)
  expect(answerFrom({ type: 'cancelled' })).toEqual({ type: 'cancelled' })
})
