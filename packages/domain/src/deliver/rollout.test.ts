import { expect, test } from 'vitest'
import { nobodySilent, tallyPhase, type JobCount, type PhaseLimits, type PhaseState } from './phase.ts'
import { nextStep, type PhaseSeen } from './rollout.ts'

const limits: PhaseLimits = {
  advanceAtPermille: 1000,
  successPermilleMin: 900,
  failureBudget: 3,
  inFlightMax: 5,
  soakSeconds: 3600,
  silenceBudget: 0,
  notBefore: null,
  notAfter: null,
}
const now = '2026-11-23T12:00:00Z'

function aPhase(order: number, state: PhaseState, size: number, counts: readonly JobCount[], own = limits): PhaseSeen {
  return { order, state, limits: own, tally: tallyPhase(size, counts, nobodySilent), soakingSince: now }
}
const jobs = (action: JobCount['action'], state: JobCount['state'], devices: number): JobCount => ({
  action,
  state,
  devices,
})

test('an empty phase does not soak: there is nobody to watch', () => {
  expect(nextStep('running', [aPhase(1, 'soaking', 0, [])], now)).toMatchObject({ to: 'evaluating' })
  const held = aPhase(1, 'soaking', 1, [jobs('install', 'succeeded', 1)])
  expect(nextStep('running', [held], now)).toEqual({ do: 'wait', lookAgainAt: '2026-11-23T13:00:00.000Z' })
})

test('a phase whose time is over is judged as it is, and not waited for', () => {
  const counts = [jobs('install', 'staged', 2)]
  const over = aPhase(1, 'open', 2, counts, { ...limits, notAfter: '2026-11-23T11:00:00Z' })
  expect(nextStep('running', [over], now)).toMatchObject({ do: 'move-phase', to: 'evaluating' })
  const later = aPhase(1, 'open', 2, counts, { ...limits, notAfter: '2026-11-23T13:00:00Z' })
  expect(nextStep('running', [later], now)).toEqual({ do: 'wait', lookAgainAt: '2026-11-23T13:00:00Z' })
})

test('a phase goes back until nobody can have the release: not while one is silent, stuck on the way back, or had it already', () => {
  const goingBack = (count: JobCount, quiet = 0): PhaseSeen => ({
    order: 1,
    state: 'backing-out',
    limits,
    tally: tallyPhase(1, [count], { ...nobodySilent, inProgress: quiet }),
    soakingSince: null,
  })
  for (const count of [
    jobs('install', 'already-present', 1),
    jobs('install', 'failed-needs-human', 1),
    jobs('back-out', 'failed-needs-human', 1),
  ]) {
    expect(nextStep('backing-out', [goingBack(count)], now)).toEqual({ do: 'wait' })
  }
  expect(nextStep('backing-out', [goingBack(jobs('back-out', 'assigned', 1), 1)], now)).toEqual({ do: 'wait' })
  expect(nextStep('backing-out', [goingBack(jobs('back-out', 'rolled-back', 1))], now)).toMatchObject({
    to: 'backed-out',
  })
  expect(nextStep('backing-out', [goingBack(jobs('install', 'excused', 1))], now)).toMatchObject({ to: 'backed-out' })
})

test('a rollout whose phases all went back one by one ends as backed out, not as completed', () => {
  const back = aPhase(1, 'backed-out', 1, [jobs('back-out', 'rolled-back', 1)])
  expect(nextStep('running', [back, aPhase(2, 'skipped', 0, [])], now)).toEqual({ do: 'finish-back-out' })
})

test('a back-out of the whole rollout ends although later phases never began and others had failed', () => {
  const phases = [
    aPhase(1, 'backed-out', 1, [jobs('back-out', 'rolled-back', 1)]),
    aPhase(2, 'waiting', 5, [jobs('install', 'excused', 1)]),
  ]
  expect(nextStep('backing-out', phases, now)).toEqual({ do: 'finish-back-out' })
})
