import { Report } from '@bascule/contract/device/protocol.ts'
import { storable } from '@bascule/domain/estate/query/fold.ts'
import { keyPairFromSeed } from '@bascule/trust/keys.ts'
import { verifyReceipt } from '@bascule/trust/receipt.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { emptyState } from '#/journal/state.ts'
import type { Job, Plan } from './job.ts'
import { reportOf } from './receipt.ts'
import { reduceJob, type JobEvent } from './reduce.ts'
import type { World } from './world.ts'

const now = '2026-01-01T00:00:00Z'
const key = keyPairFromSeed(Buffer.alloc(32, 3))
const world = { journal: { state: emptyState }, key, now: () => now, installers: new Map() } as unknown as World
const digest = `sha256:${'b'.repeat(64)}`

function planOf(versionBefore: string): Plan {
  const entry = {
    name: 'tool',
    version: '2.0.0',
    index: digest,
    configDigest: digest,
    variant: 'linux',
    modules: ['base'],
    layers: [],
    installer: 'tree',
    folder: '2.0.0-12345678',
    folderBefore: versionBefore,
    versionBefore,
  }
  return { packages: [entry], totalBytes: 1, verifyLevel: 4, autoBackout: true, offlineInstall: false, counter: 2 }
}

function aJob(versionBefore: string): Job {
  const named = { release: 'r2', productLine: 'tools', activation: 'current', action: 'install' } as const
  return {
    ...named,
    id: '1',
    generation: 1,
    manifest: { sha256: 'a'.repeat(64), length: 1 },
    custom: { ...named, job: '1', rollout: 1, phase: 1, verifyLevel: 4, attributes: { roles: [] } },
    step: 'checking',
    startedAt: now,
    plan: planOf(versionBefore),
    verification: [],
    notes: [],
    restarts: 0,
  }
}

/** Text as a program of others writes it: halves of characters, control characters, and far too much of it. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('\u{1F642}', '\uD83D', '\uDE42', '\0', 'x\u001B[31mred', 'a\nb').map((part) => part.repeat(700)),
  fc.nat(3).map((shift) => `${'x'.repeat(shift)}${'\u{1F642}'.repeat(600)}`),
)

function told(job: Job, events: readonly JobEvent[]) {
  return reportOf(
    world,
    events.reduce((current, event) => reduceJob(current, event, now), job),
  )
}

test('whatever programs and disks say, the report fits its form, can be stored, and its receipt verifies', () => {
  fc.assert(
    fc.property(anyText, anyText, anyText, (one, two, three) => {
      const verification = [{ level: 4, result: 'failed', detail: one }] as const
      const report = told(aJob(two), [
        { kind: 'noted', note: three },
        { kind: 'check-failed', verification, cause: two },
        { kind: 'waits', wait: { reason: 'disk', detail: one, wakesOn: three } },
        { kind: 'restored', verification: [{ level: 3, result: 'passed', detail: `After going back: ${three}` }] },
      ])
      expect(report.step).toBe('rolled-back')
      expect(Report.parse(report)).toEqual(report)
      expect(storable(JSON.stringify(report))).toBe(JSON.stringify(report))
      expect(JSON.stringify(report)).not.toMatch(/\\u(?:d[89a-f]|00)/)
      expect(verifyReceipt(JSON.parse(JSON.stringify(report.receipt)), key.publicKey).ok).toBe(true)
    }),
  )
})

test('a wait and a stop say what others wrote in a form that the server takes', () => {
  fc.assert(
    fc.property(anyText, anyText, (one, two) => {
      const waits = told(aJob('1.0.0'), [{ kind: 'waits', wait: { reason: 'disk', detail: one, wakesOn: two } }])
      const stops = told(aJob('1.0.0'), [{ kind: 'stuck', reason: 'storage', detail: one }])
      for (const report of [waits, stops]) {
        expect(Report.parse(report)).toEqual(report)
        expect(JSON.stringify(report)).not.toMatch(/\\u(?:d[89a-f]|00)/)
      }
    }),
  )
})
