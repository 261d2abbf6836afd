import { expect, test } from 'vitest'
import { type Circumstances, notMetOf } from './not-met.ts'

const ann = { keyId: 'a', personId: 'ann', name: 'Ann', level: 3, hasSigned: true }
const phase = { order: 1, devices: 4, audienceRoot: 'f'.repeat(64), notAfter: null }
const calm: Circumstances = {
  kind: 'go',
  role: 'company.pos',
  askedById: 'zoe',
  askedBy: 'Zoe',
  threshold: 2,
  members: [ann, { ...ann, keyId: 'c', personId: 'cleo', name: 'Cleo' }],
  phases: [phase],
  now: '2026-11-24T08:00:00Z',
}

function rules(change: Partial<Circumstances>): string[] {
  return notMetOf({ ...calm, ...change }).map(({ rule }) => rule)
}

test('what a careful member would ask about is said with its rule', () => {
  expect(rules({})).toEqual([])
  expect(rules({ askedById: 'ann' })).toEqual(['asker-is-not-the-decider'])
  expect(rules({ members: [ann, { ...ann, keyId: 'b', hasSigned: false }] })).toEqual(['one-person-one-key'])
  expect(rules({ members: [{ ...ann, level: 1 }] })).toEqual(['keys-survive-the-server'])
  expect(rules({ phases: [{ ...phase, notAfter: '2026-11-23T08:00:00Z' }] })).toEqual(['phase-can-still-begin'])
  expect(rules({ phases: [{ ...phase, audienceRoot: null }] })).toEqual(['audience-is-signed'])
  expect(rules({ threshold: 1 })).toEqual(['two-people-decide'])
  expect(rules({ threshold: 1, kind: 'stop' })).toEqual([])
})

test('who asks and may sign is told apart from who asks and has signed', () => {
  const [signed] = notMetOf({ ...calm, askedById: 'ann', askedBy: 'Ann' })
  expect(signed?.fact).toBe('This was asked by Ann, who also signs.')
  const [may] = notMetOf({ ...calm, askedById: 'ann', askedBy: 'Ann', members: [{ ...ann, hasSigned: false }] })
  expect(may?.fact).toBe('This was asked by Ann, who also may sign.')
})

test('keys of nobody known are not taken for one person', () => {
  const unknown = { ...ann, personId: null }
  expect(rules({ members: [unknown, { ...unknown, keyId: 'b' }] })).toEqual([])
})
