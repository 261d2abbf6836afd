import { expect, test } from 'vitest'
import { caseTitle, missingNames, reachText, stillNeeded, votesInOrder, type Vote } from './case-view.ts'

function vote(name: string, said: Vote['said'], at: string | null): Vote {
  return { keyId: name, name, level: 1, roles: [], said, reason: null, untilOn: null, at }
}

const votes = [
  vote('Lea', 'nothing-yet', null),
  vote('Petra', 'nothing-yet', null),
  vote('Tomás', 'no-go', '2026-11-24T12:40:00Z'),
  vote('Ines', 'go', '2026-11-24T12:10:00Z'),
]

test('who has spoken stands first, then the reader, then those who are waited for', () => {
  expect(votesInOrder(votes, new Set(['Petra'])).map(({ name }) => name)).toEqual(['Ines', 'Tomás', 'Petra', 'Lea'])
})

test('only those are missing who have said nothing', () => {
  expect(missingNames(votes)).toEqual(['Lea', 'Petra'])
})

test('a quorum that is reached needs nothing more, however many have signed', () => {
  expect(stillNeeded({ signatures: 1, threshold: 2 })).toBe('1 more signature')
  expect(stillNeeded({ signatures: 3, threshold: 2 })).toBe('0 more signatures')
})

test('a case is named by what is asked, about which release, for how many devices', () => {
  expect(caseTitle({ kind: 'stop', title: 'Till', version: '4.2' })).toBe('Stop: Till 4.2')
  const phase = { order: 1, name: 'All', devices: 5, notBefore: null, notAfter: null, serverDecidesWho: false }
  expect(reachText({ audience: 5, phases: [phase] })).toBe('5 devices in 1 phase')
})
