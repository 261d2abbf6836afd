import { expect, test } from 'vitest'
import { type Vote, outcomeOf } from './case.ts'

const members = ['ann', 'ben', 'cleo']
const quorum = { members, threshold: 2 }
const votes = (said: Partial<Record<string, Vote['said']>>): Vote[] =>
  Object.entries(said).map(([keyId, word]) => ({ keyId, said: word ?? 'go' }))

test('the quorum decides, and one voice against it is dissent', () => {
  expect(outcomeOf(votes({ ann: 'go' }), quorum)).toBe('open')
  expect(outcomeOf(votes({ ann: 'go', ben: 'no-go' }), quorum)).toBe('open')
  expect(outcomeOf(votes({ ann: 'go', ben: 'no-go', cleo: 'go' }), quorum)).toBe('go')
})

test('a case ends without a Go when too few signatures are still possible', () => {
  expect(outcomeOf(votes({ ann: 'no-go', ben: 'no-go' }), quorum)).toBe('no-go')
  expect(outcomeOf(votes({ ann: 'no-go', ben: 'defer' }), quorum)).toBe('no-go')
  expect(outcomeOf(votes({ ann: 'defer', ben: 'defer', cleo: 'go' }), quorum)).toBe('deferred')
})

test('who is not a member decides nothing', () => {
  expect(outcomeOf(votes({ mallory: 'go', ann: 'go' }), quorum)).toBe('open')
  expect(outcomeOf(votes({ mallory: 'no-go', trent: 'no-go' }), quorum)).toBe('open')
})
