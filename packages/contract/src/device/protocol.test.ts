import { expect, test } from 'vitest'
import { Report } from './protocol.ts'

const report = (at: string) => Report.safeParse({ seq: 1, job: '1', at, step: 'downloading', notes: [] })

test.each(['1970-01-01T00:00:00Z', '2026-01-01T10:00:00.123456789+05:30', '2999-12-31T23:59:59-09:00'])(
  '%s is a time',
  (at) => {
    expect(report(at).success).toBe(true)
  },
)

test.each([
  ['an offset that no place has', '2026-01-01T00:00:00+23:59'],
  ['a year that no database has', '0000-01-01T00:00:00Z'],
  ['a year before every clock', '0001-01-01T00:00:00+10:00'],
  ['more digits than anybody needs', `2026-01-01T00:00:00.${'1'.repeat(3000)}Z`],
])('%s is refused before it comes to the database', (_what, at) => {
  expect(report(at).success).toBe(false)
})
