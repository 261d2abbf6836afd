import { expect, test } from 'vitest'
import { afterKeys } from './terminal.ts'

test('a secret is typed, corrected, pasted and ended as on any terminal', () => {
  expect(afterKeys('', 'pass')).toEqual({ typed: 'pass', isDone: false, isAborted: false })
  expect(afterKeys('pas𝄞', '\u007Fs')).toMatchObject({ typed: 'pass' })
  expect(afterKeys('', 'whole line\r')).toEqual({ typed: 'whole line', isDone: true, isAborted: false })
  expect(afterKeys('x', '\u001B\u0003')).toMatchObject({ isAborted: true })
})
