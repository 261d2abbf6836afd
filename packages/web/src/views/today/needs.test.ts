import { expect, test } from 'vitest'
import { needsFrom, type Known, type May } from './needs.ts'

const everything: May = { ask: true, start: true, retry: true, approve: true, seeDevices: true }
const nothing: May = { ask: false, start: false, retry: false, approve: false, seeDevices: false }

function release(id: string, state: string, rollout: object | null): Known['releases'][number] {
  const words = { id, title: 'Till', version: '4.2', productLine: 'tills', owner: 'Ada', updatedAt: '' }
  return { ...words, state, rollout } as Known['releases'][number]
}

const rollout = { state: 'running', phase: 1, phases: 2, audience: 10, verified: 3, failures: 0 }
const known: Known = {
  cases: [{ id: 'CASE-0001', kind: 'go', title: 'Till', version: '4.3' } as Known['cases'][number]],
  releases: [
    release('REL-0001', 'planned', null),
    release('REL-0002', 'rolling-out', rollout),
    release('REL-0003', 'rolling-out', { ...rollout, failures: 2 }),
    release('REL-0004', 'rolling-out', { ...rollout, state: 'paused', failures: 2 }),
    release('REL-0006', 'authorised', null),
    release('REL-0007', 'accepting', null),
    release('REL-0005', 'closed', { ...rollout, state: 'completed', failures: 1 }),
  ],
  pending: 1,
  silent: 2,
  active: 9,
}

test('what waits is said once each, with the place where it is done', () => {
  expect(needsFrom(known, everything).map(({ what, at }) => [what, at])).toEqual([
    ['Go: Till 4.3 waits for your signature', { caseId: 'CASE-0001' }],
    ['Till 4.2 is planned; its board can be asked', { releaseId: 'REL-0001' }],
    ['2 devices of Till 4.2 failed', { releaseId: 'REL-0003' }],
    ['Till 4.2 is paused', { releaseId: 'REL-0004' }],
    ['Till 4.2 is authorised and can start', { releaseId: 'REL-0006' }],
    ['1 device waits for approval', { query: 'state:pending' }],
    ['2 devices of 9 active devices went quiet', { query: 'state:silent' }],
  ])
})

test('nothing waits for who may do nothing about it', () => {
  expect(needsFrom({ ...known, cases: [] }, nothing)).toEqual([])
})
