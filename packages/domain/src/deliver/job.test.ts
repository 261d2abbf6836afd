import fc from 'fast-check'
import { expect, test } from 'vitest'
import { agentSteps, isTerminalStep, waitReasons } from './agent-step.ts'
import {
  bucketOf,
  isFailure,
  awaitsReturn,
  isInFlight,
  isOpen,
  needsReturn,
  jobActions,
  jobStateFromStep,
  jobStates,
  stateAfterReport,
  turnClass,
} from './job.ts'

const anyStep = fc.constantFrom(...agentSteps)
const anyAction = fc.constantFrom(...jobActions)
const anyWait = fc.option(fc.constantFrom(...waitReasons), { nil: undefined })

test('every step of the agent has exactly one state on the server', () => {
  fc.assert(
    fc.property(anyAction, anyStep, anyWait, (action, step, wait) => {
      expect(jobStates).toContain(jobStateFromStep(action, step, wait))
    }),
  )
})

test('a terminal step never leaves a job open, and an open step never closes it', () => {
  for (const action of jobActions) {
    for (const step of agentSteps) {
      const state = jobStateFromStep(action, step)
      if (step === 'needs-admin') expect(bucketOf(state)).toBe('failed')
      else expect(isOpen(state)).toBe(!isTerminalStep(step))
    }
  }
})

test('a device that finished its back-out counts as rolled back, and not as a failure', () => {
  const state = jobStateFromStep('back-out', 'committed')
  expect(state).toBe('rolled-back')
  expect(isFailure('back-out', state)).toBe(false)
})

test('a device that went back by itself is a failure of the phase', () => {
  expect(isFailure('install', jobStateFromStep('install', 'rolled-back'))).toBe(true)
})

test('only what may be changing the device is in flight', () => {
  expect(isInFlight(jobStateFromStep('install', 'ready'))).toBe(false)
  expect(isInFlight(jobStateFromStep('install', 'switching'))).toBe(true)
  expect(isInFlight(jobStateFromStep('install', 'probation'))).toBe(true)
  expect(isInFlight(jobStateFromStep('install', 'precheck', 'disk'))).toBe(false)
})

test('asking at the gate is no block, a full disk is', () => {
  expect(jobStateFromStep('install', 'ready', 'gate')).toBe('staged')
  expect(jobStateFromStep('install', 'downloading', 'disk')).toBe('blocked')
  expect(jobStateFromStep('install', 'downloading', 'network')).toBe('download-waiting')
})

test('whose turn it is follows from the reason', () => {
  expect(turnClass('network', null)).toBe('heals-itself')
  expect(turnClass('disk', null)).toBe('user')
  expect(turnClass(null, 'rights')).toBe('desk')
  expect(turnClass(null, 'trust')).toBe('engineer')
})

test('a late report never takes a device out of flight, and never reopens a finished job', () => {
  expect(stateAfterReport('installing', 'staged')).toBe('installing')
  expect(stateAfterReport('installing', 'blocked')).toBe('installing')
  expect(stateAfterReport('succeeded', 'installing')).toBe('succeeded')
  expect(stateAfterReport('failed-needs-human', 'downloading')).toBe('downloading')
})

test('a device that waits in the middle of its install stays in flight, because it goes on without asking', () => {
  for (const step of agentSteps.filter((one) => isInFlight(jobStateFromStep('install', one)))) {
    for (const wait of waitReasons) expect(isInFlight(jobStateFromStep('install', step, wait))).toBe(true)
  }
})

test('a back-out turns around who may have the release, and waits for all of them but those whom a person excused', () => {
  for (const state of ['succeeded', 'already-present', 'installing', 'failed-needs-human'] as const) {
    expect([state, needsReturn(state), awaitsReturn(state)]).toEqual([state, true, true])
  }
  expect([needsReturn('excused'), awaitsReturn('excused')]).toEqual([true, false])
  expect([needsReturn('staged'), awaitsReturn('staged')]).toEqual([false, true])
  for (const state of ['rolled-back', 'not-applicable', 'cancelled'] as const) {
    expect([state, needsReturn(state), awaitsReturn(state)]).toEqual([state, false, false])
  }
})
