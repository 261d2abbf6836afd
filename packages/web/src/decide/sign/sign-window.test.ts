import { expect, test } from 'vitest'
import { answerFrom, signPageOrigin } from './sign-window.ts'

test('the signing page lives on a host of its own, with the same scheme and port', () => {
  expect(signPageOrigin({ protocol: 'https:', hostname: 'releases.example.org', port: '' })).toBe(
    'https://sign.releases.example.org',
  )
  expect(signPageOrigin({ protocol: 'http:', hostname: '127.0.0.1', port: '7400' })).toBe('http://sign.localhost:7400')
})

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
