import fc from 'fast-check'
import { expect, test } from 'vitest'
import { letsDevicesInstall, mayInstall } from './install-gate.ts'
import type { JobCount } from './phase.ts'
import { nobodySilent, tallyPhase, type PhaseLimits, type PhaseState } from './phase.ts'
import { nextStep, type PhaseSeen, type RolloutState } from './rollout.ts'

/** A whole rollout without clock, network or database: every round each device may take one step. */
type Fate = 'works' | 'fails' | 'never-comes' | 'vanishes' | 'comes-back'
type DeviceState = 'not-started' | 'staged' | 'installing' | 'succeeded' | 'rolled-back'
interface World {
  state: RolloutState
  phases: {
    state: PhaseState
    limits: PhaseLimits
    fates: Fate[]
    devices: DeviceState[]
    soakingSince: string | null
  }[]
}

const at = (round: number) => new Date(Date.UTC(2026, 10, 23) + round * 60_000).toISOString()
const counts = (devices: readonly DeviceState[]): JobCount[] =>
  (['staged', 'installing', 'succeeded', 'rolled-back'] as const).map((state) => ({
    action: 'install',
    state,
    devices: devices.filter((device) => device === state).length,
  }))
/** Who vanishes is silent a round later; who comes back is heard of again, and fails, after many rounds. */
const isQuiet = (fate: Fate, device: DeviceState) =>
  device === 'installing' && (fate === 'vanishes' || fate === 'comes-back')
const tallyOf = ({ devices, fates }: World['phases'][number]) => {
  const quiet = devices.filter((device, index) => isQuiet(fates[index]!, device)).length
  return tallyPhase(devices.length, counts(devices), { ...nobodySilent, inProgress: quiet, inFlight: quiet })
}
const look = (world: World): PhaseSeen[] =>
  world.phases.map((phase, index) => ({
    order: index + 1,
    state: phase.state,
    limits: phase.limits,
    tally: tallyOf(phase),
    soakingSince: phase.soakingSince,
  }))

function planRound(world: World, round: number): void {
  const step = nextStep(world.state, look(world), at(round))
  if (step.do === 'move-phase') {
    const phase = world.phases[step.order - 1]!
    phase.state = step.to
    if (step.to === 'soaking') phase.soakingSince = at(round)
  }
  if (step.do === 'stop') {
    world.state = 'paused'
    if (world.phases[step.order - 1]!.state !== 'succeeded') world.phases[step.order - 1]!.state = 'failed'
  }
  if (step.do === 'complete') world.state = 'completed'
}

function deviceRound(world: World, round: number): void {
  for (const phase of world.phases) {
    phase.devices.forEach((device, index) => {
      const fate = phase.fates[index]!
      if (fate === 'never-comes') return
      if (device === 'not-started' && letsDevicesInstall(phase.state)) phase.devices[index] = 'staged'
      if (device === 'staged') {
        if (mayInstall(world.state, phase.state, tallyOf(phase), phase.limits, at(round)).ok)
          phase.devices[index] = 'installing'
      }
      if (device === 'installing' && fate === 'vanishes') return
      if (device === 'installing' && fate === 'comes-back' && round < 60) return
      if (device === 'installing') phase.devices[index] = fate === 'works' ? 'succeeded' : 'rolled-back'
    })
  }
}

const isMissed = (fate: Fate) => fate === 'vanishes' || fate === 'comes-back'

const anyLimits = fc.record({
  advanceAtPermille: fc.constantFrom(500, 900, 1000),
  successPermilleMin: fc.constantFrom(0, 900),
  failureBudget: fc.integer({ min: 0, max: 4 }),
  inFlightMax: fc.integer({ min: 1, max: 6 }),
  soakSeconds: fc.constantFrom(0, 90),
  silenceBudget: fc.integer({ min: 0, max: 3 }),
  notBefore: fc.constant(null),
  notAfter: fc.constant(null),
})
const anyPhase = fc.record({
  limits: anyLimits,
  fates: fc.array(fc.constantFrom<Fate>('works', 'works', 'works', 'fails', 'never-comes', 'vanishes', 'comes-back'), {
    maxLength: 12,
  }),
})

test('no order of devices breaks a limit or opens a phase before the one ahead is left behind', () => {
  fc.assert(
    fc.property(fc.array(anyPhase, { minLength: 1, maxLength: 4 }), (plan) => {
      const world: World = {
        state: 'running',
        phases: plan.map(({ limits, fates }) => ({
          limits,
          fates,
          state: 'waiting',
          devices: fates.map(() => 'not-started'),
          soakingSince: null,
        })),
      }
      for (let round = 0; round < 120; round += 1) {
        planRound(world, round)
        deviceRound(world, round)
        for (const [index, phase] of world.phases.entries()) {
          const tally = look(world)[index]!.tally
          const { inFlightMax, silenceBudget } = phase.limits
          const mostHurt = phase.fates.some(isMissed) ? inFlightMax + silenceBudget : inFlightMax
          expect(tally.failures + tally.inFlight).toBeLessThanOrEqual(mostHurt)
          if (phase.devices.some((device) => device !== 'not-started')) {
            const before = world.phases.slice(0, index)
            expect(before.every((earlier) => earlier.state === 'succeeded')).toBe(true)
          }
        }
      }
    }),
    { numRuns: 300 },
  )
})

test('a good release reaches everybody', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(9), { minLength: 1, maxLength: 5 }), (sizes) => {
      const limits: PhaseLimits = {
        advanceAtPermille: 900,
        successPermilleMin: 900,
        failureBudget: 1,
        inFlightMax: 2,
        soakSeconds: 60,
        silenceBudget: 0,
        notBefore: null,
        notAfter: null,
      }
      const world: World = {
        state: 'running',
        phases: sizes.map((size) => ({
          limits,
          state: 'waiting' as PhaseState,
          fates: Array.from({ length: size }, () => 'works' as const),
          devices: Array.from({ length: size }, () => 'not-started'),
          soakingSince: null,
        })),
      }
      for (let round = 0; round < 200 && world.state === 'running'; round += 1) {
        planRound(world, round)
        deviceRound(world, round)
      }
      expect(world.state).toBe('completed')
      expect(world.phases.every((phase) => phase.devices.every((device) => device === 'succeeded'))).toBe(true)
    }),
  )
})
