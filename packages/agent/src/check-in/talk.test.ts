import { Reports, type Report } from '@bascule/contract/device/protocol.ts'
import { expect, test } from 'vitest'
import { applyRecord, emptyState } from '#/journal/state.ts'
import { reportsBody } from './talk.ts'

function report(seq: number): Report {
  return { seq, job: '1', at: '2026-01-01T00:00:00Z', step: 'needs-admin', notes: [] }
}

test('a server back from a backup is told the oldest number that is kept, so that it waits for none before it', () => {
  const all = Array.from({ length: 400 }, (_none, index) => report(index + 1))
  const told = all.reduce(
    (state, next) =>
      applyRecord(applyRecord(state, { t: 'report', report: next }), { t: 'heard', epoch: 'e', acked: next.seq }),
    emptyState,
  )
  expect(reportsBody(told)).toBeNull()
  const restored = applyRecord(told, { t: 'heard', epoch: 'e2', acked: 10 })
  const body = reportsBody(restored)
  expect(Reports.safeParse({ ...body, seq: 1 }).success).toBe(true)
  expect(body?.low).toBeGreaterThan(11)
  expect(body?.reports.map(({ seq }) => seq)).toEqual(Array.from({ length: 100 }, (_none, at) => (body?.low ?? 0) + at))
})
