import { ORPCError } from '@orpc/client'
import { expect, test } from 'vitest'
import { problemFrom, problemWords } from './problem.ts'

test('a refusal in one line is its fact and what to do, each a sentence', () => {
  const data = { rule: 'pins-max', fact: 'You have pinned 12 releases already.', lifter: 'you', next: 'Unpin one.' }
  const refusal = new ORPCError('REFUSED', { status: 409, data })
  expect(problemWords(problemFrom(refusal))).toBe('You have pinned 12 releases already. Unpin one.')
})

test('a server that is away is said to be away, with what to do', () => {
  expect(problemWords(problemFrom(new TypeError('fetch failed')))).toBe(
    'The server could not be reached. Check the connection, then try again. Nothing was changed.',
  )
})
