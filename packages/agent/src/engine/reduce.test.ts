import { agentSteps, isTerminalStep, type AgentStep } from '@bascule/domain/deliver/agent-step.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Job, Plan } from './job.ts'
import { effectOf, isBeforeChange, reduceJob, type JobEvent } from './reduce.ts'

const now = '2026-01-01T00:00:00Z'
const plan: Plan = { packages: [], totalBytes: 1, verifyLevel: 4, autoBackout: true, offlineInstall: false, counter: 2 }

function aJob(change: Partial<Job> = {}): Job {
  return {
    id: '1',
    action: 'install',
    release: 'r2',
    productLine: 'tools',
    activation: 'current',
    generation: 1,
    manifest: { sha256: 'a'.repeat(64), length: 1 },
    custom: {
      job: '1',
      action: 'install',
      release: 'r2',
      productLine: 'tools',
      rollout: 1,
      phase: 1,
      verifyLevel: 4,
      activation: 'current',
      attributes: { roles: [] },
    },
    step: 'received',
    startedAt: now,
    verification: [],
    notes: [],
    restarts: 0,
    ...change,
  }
}

const authorisedBy = {
  role: 'company.tools',
  version: 7,
  rootVersion: 1,
  snapshotVersion: 9,
  threshold: 2,
  keyCount: 3,
  signers: ['a'.repeat(64), 'b'.repeat(64)],
}
const happy: JobEvent[] = [
  { kind: 'planned', plan, authorisedBy },
  { kind: 'fetched' },
  { kind: 'staged' },
  { kind: 'may-install' },
  { kind: 'installed', authorisedBy },
  { kind: 'switched' },
  { kind: 'checked', verification: [] },
]
const sick: JobEvent = { kind: 'check-failed', verification: [], cause: 'The health command exited with 3' }
const wait: JobEvent = { kind: 'waits', wait: { reason: 'disk', detail: 'Disk full', wakesOn: 'there is room' } }

function after(job: Job, events: readonly JobEvent[]): Job {
  return events.reduce((current, event) => reduceJob(current, event, now), job)
}

test('an install goes through its steps in order and commits', () => {
  const steps = happy.map((_event, index) => after(aJob(), happy.slice(0, index + 1)).step)
  expect(steps).toEqual(['downloading', 'downloaded', 'ready', 'installing', 'switching', 'checking', 'committed'])
})

test('a sick version goes back by itself when the release says so, and needs a person when not', () => {
  const back = after(aJob(), [...happy.slice(0, 6), sick])
  expect(back).toMatchObject({ step: 'rolling-back', cause: 'The health command exited with 3' })
  expect(after(back, [{ kind: 'restored', verification: [] }]).step).toBe('rolled-back')
  const stays = after(aJob(), [
    { kind: 'planned', authorisedBy, plan: { ...plan, autoBackout: false } },
    ...happy.slice(1, 6),
    sick,
  ])
  expect(stays).toMatchObject({ step: 'needs-admin', stuck: { reason: 'health' } })
})

test('going back that fails is the one state that is called broken', () => {
  const broken = after(aJob({ step: 'rolling-back', plan }), [
    { kind: 'restore-failed', detail: 'Two files are missing' },
  ])
  expect(broken).toMatchObject({ step: 'needs-admin', stuck: { reason: 'broken', detail: 'Two files are missing' } })
})

test('a wait keeps the time since when it holds, and ends with the next progress', () => {
  const waiting = after(aJob({ step: 'downloading', plan }), [wait])
  const later = reduceJob(
    waiting,
    { ...wait, wait: { ...wait.wait, detail: 'Disk full, 3 MB free' } },
    '2026-01-02T00:00:00Z',
  )
  expect(later.wait).toMatchObject({ since: now, detail: 'Disk full, 3 MB free' })
  expect(after(later, [{ kind: 'fetched' }])).not.toHaveProperty('wait')
})

test('a withdrawn job ends at once before anything was changed, and never half way', () => {
  for (const step of agentSteps.filter((name) => !isTerminalStep(name) && name !== 'needs-admin')) {
    const job = aJob({ step, plan })
    const next = after(job, [{ kind: 'withdrawn' }])
    if (isBeforeChange(job)) expect(next.step).toBe('cancelled')
    else expect(next).toMatchObject({ step, withdrawn: true })
  }
  const stuck = aJob({ step: 'needs-admin', stuckAt: 'checking', plan, stuck: { reason: 'health', detail: 'sick' } })
  expect(after(stuck, [{ kind: 'withdrawn' }]).step).toBe('rolling-back')
})

test('an agent that dies three times while checking a new version takes it back; one that was stopped does not count', () => {
  const checking = aJob({ step: 'checking', plan })
  const restart: JobEvent = { kind: 'restarted' }
  expect(after(checking, [restart, restart]).step).toBe('checking')
  expect(after(checking, [restart, restart, restart])).toMatchObject({ step: 'rolling-back', cause: /3 times/ })
  const stop: JobEvent = { kind: 'stopped' }
  expect(after(checking, [stop, restart, stop, restart, stop, restart, stop, restart]).step).toBe('checking')
})

const anyEvent: fc.Arbitrary<JobEvent> = fc.constantFrom<JobEvent>(
  ...happy,
  sick,
  wait,
  { kind: 'restored', verification: [] },
  { kind: 'restore-failed', detail: 'broken' },
  { kind: 'stuck', reason: 'storage', detail: 'EIO' },
  { kind: 'withdrawn' },
  { kind: 'stopped' },
  { kind: 'restarted' },
  { kind: 'permit-lapsed' },
  { kind: 'noted', note: 'a note' },
  { kind: 'ended', outcome: 'not-applicable', cause: 'No variant fits' },
)

/** Every way a step may be left; anything else is a bug, whatever the order of events. */
const successors: Partial<Record<AgentStep, readonly AgentStep[]>> = {
  received: ['downloading', 'needs-admin', 'cancelled', 'not-applicable'],
  downloading: ['downloaded', 'needs-admin', 'cancelled', 'not-applicable'],
  downloaded: ['ready', 'needs-admin', 'cancelled', 'not-applicable'],
  ready: ['installing', 'needs-admin', 'cancelled', 'not-applicable'],
  installing: ['switching', 'needs-admin'],
  switching: ['checking', 'installing', 'needs-admin'],
  checking: ['committed', 'rolling-back', 'needs-admin'],
  'rolling-back': ['rolled-back', 'needs-admin'],
  'needs-admin': ['cancelled', 'rolling-back', 'not-applicable'],
}

test('no sequence of events takes a step that is not in the table, and nothing leaves an end', () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 40 }), (events) => {
      let job = aJob()
      for (const event of events) {
        const next = reduceJob(job, event, now)
        const allowed = isTerminalStep(job.step) ? [] : (successors[job.step] ?? [])
        expect([job.step, ...allowed]).toContain(next.step)
        expect(isTerminalStep(job.step) && next !== job).toBe(false)
        job = next
      }
    }),
    { numRuns: 2000 },
  )
})

test('whatever happened, a job has an effect, a reason, or an end; and the version is only switched after a go', () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 40 }), (events) => {
      const job = after(aJob(), events)
      expect(effectOf(job) !== null || isTerminalStep(job.step) || job.stuck !== undefined).toBe(true)
      if (job.step === 'needs-admin') expect(job.stuck?.detail).not.toBe('')
      const hadGo = events.some(({ kind }) => kind === 'may-install')
      if (['installing', 'switching', 'checking', 'committed', 'rolled-back'].includes(job.step))
        expect(hadGo).toBe(true)
    }),
    { numRuns: 2000 },
  )
})

test('a job that the boards refuse at the last look has changed nothing: withdrawn, it ends without a trace', () => {
  const last = after(aJob(), happy.slice(0, 4))
  const refusal = { code: 'WITHDRAWN', rule: 'stop-list-is-silent' }
  const stopped = after(last, [
    { kind: 'waits', wait: { reason: 'gate', detail: 'It was stopped', wakesOn: 'newer files come', refusal } },
  ])
  expect(stopped).toMatchObject({ step: 'installing', wait: { refusal } })
  expect(after(stopped, [{ kind: 'withdrawn' }]).step).toBe('cancelled')
  const both = after(last, [{ kind: 'withdrawn' }])
  expect(both).toMatchObject({ step: 'installing', withdrawn: true })
  expect(
    after(both, [{ kind: 'waits', wait: { reason: 'gate', detail: 'Stopped', wakesOn: 'newer files come', refusal } }])
      .step,
  ).toBe('cancelled')
})
