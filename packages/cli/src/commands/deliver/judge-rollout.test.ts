import { expect, test } from 'vitest'
import { judgeRollout } from './judge-rollout.ts'

const phase = { order: 1, name: 'Pilot', verdict: { answer: 'stop', because: '2 of 1 allowed failures.' } } as const
const next = 'Phase 1 is open.'

test('a rollout that runs or that a person paused goes on', () => {
  for (const state of ['running', 'paused', 'scheduled'] as const) {
    expect(judgeRollout({ state, next, phases: [{ ...phase, state: 'open' }] })).toEqual({ kind: 'goes-on' })
  }
})

test('a rollout that is complete is verified', () => {
  for (const state of ['completed', 'completed-with-residual', 'closed'] as const) {
    expect(judgeRollout({ state, next, phases: [] })).toEqual({ kind: 'verified' })
  }
})

test('a phase that a rule stopped, or a rollout that is taken back, is a no with its reason', () => {
  expect(judgeRollout({ state: 'paused', next, phases: [{ ...phase, state: 'failed' }] })).toEqual({
    kind: 'stopped',
    rule: 'phase-failed',
    because: 'Phase 1 Pilot was stopped. 2 of 1 allowed failures.',
  })
  expect(judgeRollout({ state: 'backing-out', next, phases: [] })).toMatchObject({ rule: 'backing-out' })
})
