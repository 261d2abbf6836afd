import fc from 'fast-check'
import { expect, test } from 'vitest'
import { mayInstall } from './install-gate.ts'
import { buckets, jobActions, jobStates } from './job.ts'
import { failuresMax, judgePhase, nobodySilent, tallyPhase, type JobCount, type PhaseLimits } from './phase.ts'

const limits: PhaseLimits = {
  advanceAtPermille: 900,
  successPermilleMin: 950,
  failureBudget: 3,
  inFlightMax: 5,
  soakSeconds: 0,
  silenceBudget: 1,
  notBefore: null,
  notAfter: null,
}
const now = '2026-11-23T12:00:00Z'
const installs = (state: JobCount['state'], devices: number): JobCount => ({ action: 'install', state, devices })
const anyCounts = fc.uniqueArray(
  fc.record({
    action: fc.constantFrom(...jobActions),
    state: fc.constantFrom(...jobStates),
    devices: fc.integer({ min: 0, max: 500 }),
  }),
  { selector: (count) => `${count.action} ${count.state}`, maxLength: 20 },
)

test('the buckets add up to the audience whatever happened', () => {
  fc.assert(
    fc.property(anyCounts, fc.nat(1000), fc.nat(100), (counts, untouched, quiet) => {
      const size = counts.reduce((sum, count) => sum + count.devices, 0) + untouched
      const bare = tallyPhase(size, counts, nobodySilent)
      const silent = {
        notStarted: Math.min(quiet, untouched),
        inProgress: Math.min(quiet, bare.byBucket['in-progress']),
        blocked: Math.min(quiet, bare.byBucket.blocked),
      }
      const tally = tallyPhase(size, counts, silent)
      expect(buckets.reduce((sum, bucket) => sum + tally.byBucket[bucket], 0)).toBe(size)
      expect(Math.min(...Object.values(tally.byBucket))).toBeGreaterThanOrEqual(0)
    }),
  )
})

test('one verified device of ten is not enough evidence', () => {
  const verdict = judgePhase(tallyPhase(10, [installs('succeeded', 1)], nobodySilent), limits)
  expect(verdict).toEqual({ answer: 'not-enough-evidence', because: '1 of 10 verified, 8 more needed.' })
})

test('the failure budget stops a phase even when everybody else succeeded', () => {
  const tally = tallyPhase(100, [installs('succeeded', 97), installs('rolled-back', 3)], nobodySilent)
  expect(judgePhase(tally, limits).answer).toBe('stop')
})

test('a budget of none is spent by the first failure', () => {
  const tally = tallyPhase(10, [installs('failed-needs-human', 1)], nobodySilent)
  expect(judgePhase(tally, { ...limits, failureBudget: 0 }).answer).toBe('stop')
})

test('a device that vanished in flight gives its place back as far as the plan lets devices go quiet, and no further', () => {
  const gate = (vanished: number, silenceBudget: number) => {
    const silent = { ...nobodySilent, inProgress: vanished, inFlight: vanished }
    const tally = tallyPhase(20, [installs('installing', 5)], silent)
    expect(tally).toMatchObject({ inFlight: 5, vanished, byBucket: { silent: vanished, 'in-progress': 5 - vanished } })
    return mayInstall('running', 'open', tally, { ...limits, silenceBudget }, now)
  }
  expect(gate(0, 1).ok).toBe(false)
  expect(gate(1, 1).ok).toBe(true)
  expect(gate(1, 0)).toMatchObject({
    error: { rule: 'in-flight-cap', fact: expect.stringContaining('(1 of them quiet)') as string },
  })
  // One more than may go quiet came in its place and keeps it: six are in flight, which is the cap and the budget.
  const six = tallyPhase(20, [installs('installing', 6)], { ...nobodySilent, inProgress: 3, inFlight: 3 })
  expect(mayInstall('running', 'open', six, limits, now).ok).toBe(false)
})

test('devices that went quiet hold the phase, they do not vanish from it', () => {
  const tally = tallyPhase(20, [installs('succeeded', 18)], { ...nobodySilent, notStarted: 2 })
  expect(judgePhase(tally, limits).answer).toBe('hold')
})

test('an excused device is not counted against the phase', () => {
  const tally = tallyPhase(10, [installs('succeeded', 8), installs('excused', 2)], nobodySilent)
  expect(tally.countable).toBe(8)
  expect(judgePhase(tally, limits).answer).toBe('advance')
})

test('failed plus in flight never exceeds the cap when every device asks', () => {
  fc.assert(
    fc.property(
      fc.array(fc.boolean(), { maxLength: 60 }),
      fc.integer({ min: 1, max: 9 }),
      fc.nat(6),
      (fates, cap, budget) => {
        const own = { ...limits, inFlightMax: cap, failureBudget: budget }
        let failures = 0
        let inFlight = 0
        for (const fails of fates) {
          const spent = failures >= failuresMax(own)
          if (mayInstall('running', 'open', { failures, inFlight, vanished: 0 }, own, now).ok) {
            expect(spent).toBe(false)
            inFlight += 1
          } else if (inFlight > 0) {
            inFlight -= 1
            if (fails) failures += 1
          }
          expect(failures + inFlight).toBeLessThanOrEqual(cap)
        }
      },
    ),
  )
})

test('a pause beats everything, and says who lifts it', () => {
  const answer = mayInstall('paused', 'open', { failures: 0, inFlight: 0, vanished: 0 }, limits, now)
  expect(answer).toMatchObject({ ok: false, error: { rule: 'rollout-not-running', lifter: 'release manager' } })
})

test('nobody installs before the phase may start or after it ended', () => {
  const idle = { failures: 0, inFlight: 0, vanished: 0 }
  const early = mayInstall('running', 'open', idle, { ...limits, notBefore: '2026-11-24T00:00:00Z' }, now)
  const late = mayInstall('running', 'open', idle, { ...limits, notAfter: '2026-11-22T00:00:00Z' }, now)
  expect(early).toMatchObject({ error: { rule: 'not-yet' } })
  expect(late).toMatchObject({ error: { rule: 'too-late' } })
})

test('a device that comes home after the rollout was completed may still install, within the budget', () => {
  const idle = { failures: 0, inFlight: 0, vanished: 0 }
  expect(mayInstall('completed', 'succeeded', idle, limits, now).ok).toBe(true)
  expect(mayInstall('completed-with-residual', 'succeeded', { ...idle, failures: 3 }, limits, now).ok).toBe(false)
  expect(mayInstall('backing-out', 'succeeded', idle, limits, now).ok).toBe(false)
})

test('failures that use up the whole cap stop the phase: nobody could go on any more', () => {
  const tally = tallyPhase(10, [installs('rolled-back', 1), installs('staged', 9)], nobodySilent)
  expect(judgePhase(tally, { ...limits, failureBudget: 5, inFlightMax: 1 })).toEqual({
    answer: 'stop',
    because: '1 device failed, 1 stop the phase.',
  })
})

test('a phase in which nobody is left to prove anything holds, an empty one goes on', () => {
  const nobody = tallyPhase(5, [installs('not-applicable', 4), installs('excused', 1)], nobodySilent)
  expect(judgePhase(nobody, limits).answer).toBe('hold')
  expect(judgePhase(tallyPhase(0, [], nobodySilent), limits).answer).toBe('advance')
})
