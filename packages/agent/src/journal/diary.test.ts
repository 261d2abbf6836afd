import type { Report } from '@bascule/contract/device/protocol.ts'
import { keyPairFromSeed } from '@bascule/trust/keys.ts'
import { signReceipt } from '@bascule/trust/receipt.ts'
import { expect, test } from 'vitest'
import type { Job } from '#/engine/job.ts'
import { sayRecords } from './diary.ts'
import { emptyState, type AgentState } from './state.ts'

const now = '2026-01-01T00:00:00Z'
const named = { release: 'r2', productLine: 'tools', activation: 'current', action: 'install' } as const
const job: Job = {
  ...named,
  id: '9',
  generation: 1,
  manifest: { sha256: 'a'.repeat(64), length: 1 },
  custom: { ...named, job: '9', rollout: 1, phase: 1, verifyLevel: 4, attributes: { roles: [] } },
  step: 'downloading',
  startedAt: now,
  verification: [],
  notes: [],
  restarts: 0,
}
const known: AgentState = { ...emptyState, jobs: { '9': job }, reportAcked: 5 }
const full = {
  reason: 'disk',
  detail: 'Disk full, 12 MB needed, 3 MB free',
  since: now,
  wakesOn: 'there is room',
} as const

function say(change: Partial<Job>, before: Partial<Job> = {}): string[] {
  const state = { ...known, jobs: { '9': { ...job, ...before } } }
  return sayRecords(state, [{ t: 'job', job: { ...job, ...before, ...change } }])
}

const name = 'Job 9, install of release r2 of tools'

test('a job that comes, and each step it takes, is one line that names the release', () => {
  expect(sayRecords(emptyState, [{ t: 'job', job }])).toEqual([`${name}: is being downloaded.`])
  expect(say({ step: 'ready' })).toEqual([`${name}: is ready and asks the server whether it may install now.`])
  expect(say({ generation: 2 })).toEqual([])
})

test('a wait is one line with its reason and what ends it; other numbers are no news, and its end is', () => {
  expect(say({ wait: full })).toEqual([
    `${name}: waits: Disk full, 12 MB needed, 3 MB free. Goes on by itself when there is room.`,
  ])
  expect(say({ wait: { ...full, detail: 'Disk full, 12 MB needed, 4.5 MB free' } }, { wait: full })).toEqual([])
  expect(say({ wait: { ...full, detail: 'The disk is gone' } }, { wait: full })).toHaveLength(1)
  const { wait: _wait, ...without } = { ...job, wait: full, step: 'downloaded' as const }
  expect(sayRecords({ ...known, jobs: { '9': { ...job, wait: full } } }, [{ t: 'job', job: without }])).toEqual([
    `${name}: the wait is over; is downloaded and is unpacked beside the running version next.`,
  ])
})

test('what happened on the way, a failure, a back-out and a withdrawal are said with their cause', () => {
  expect(say({ notes: ['A source lied.'] })).toEqual([`${name}: A source lied.`])
  expect(say({ step: 'rolling-back', cause: 'the health command exited with 3' }, { step: 'checking' })).toEqual([
    `${name}: failed and is going back to the version before: the health command exited with 3.`,
  ])
  expect(say({ step: 'needs-admin', stuck: { reason: 'storage', detail: 'EIO' } })).toEqual([
    `${name}: needs a person (the storage fails): EIO.`,
  ])
  expect(say({ withdrawn: true }, { step: 'installing' })).toEqual([
    `${name}: the server withdrew it; it comes to a safe end first.`,
  ])
})

test('the end is said as the receipt says it, with what runs now', () => {
  const key = keyPairFromSeed(Buffer.alloc(32, 3))
  const line = { name: 'tool', version: '2.0.0', index: `sha256:${'b'.repeat(64)}`, variant: 'linux', modules: [] }
  const receipt = signReceipt(
    {
      _type: 'bascule-receipt',
      specVersion: 1,
      device: key.keyId,
      seq: 1,
      job: '9',
      release: 'r2',
      manifestSha256: 'a'.repeat(64),
      generation: 1,
      action: 'install',
      outcome: 'rolled-back',
      packages: [{ ...line, before: '1.0.0', after: '1.0.0', fileCount: 1, treeSha256: null }],
      verification: [],
      cause: 'the health command exited with 3',
      startedAt: now,
      finishedAt: now,
      agentVersion: '0',
    },
    key,
  )
  const report: Report = { seq: 1, job: '9', at: now, step: 'rolled-back', notes: [], receipt }
  expect(
    sayRecords(known, [
      { t: 'ended', id: '9', key: 'k' },
      { t: 'report', report },
    ]),
  ).toEqual([`${name}: went back to the version before (tool 1.0.0 runs): the health command exited with 3.`])
})

test('an order that is not obeyed and a server out of a backup are said too', () => {
  const stuck = { reason: 'trust', detail: 'signature: nobody we know' } as const
  const report: Report = { seq: 1, job: '7', at: now, step: 'needs-admin', stuck, notes: [] }
  expect(sayRecords(known, [{ t: 'report', report }])).toEqual(['Job 7 is not obeyed: signature: nobody we know.'])
  expect(sayRecords(known, [{ t: 'heard', epoch: 'e', acked: 2 }])).toHaveLength(1)
  expect(sayRecords(known, [{ t: 'heard', epoch: 'e', acked: 6 }])).toEqual([])
})
