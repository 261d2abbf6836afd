import { expect, test } from 'vitest'
import { createReportLimit } from './report-limit.ts'

test('a device tells what it gathered at once, then as fast as a busy one, and others are not held by it', () => {
  const limit = createReportLimit()
  let taken = 0
  for (let more = limit.take(1, 100, 0); more > 0; more = limit.take(1, 100, 0)) taken += more
  expect(taken).toBe(2000)
  expect(limit.retryAfterSeconds(1, 0)).toBe(2)
  expect(limit.take(1, 100, 1000)).toBe(0)
  expect(limit.take(1, 100, 2000)).toBe(1)
  expect(limit.take(2, 100, 2000)).toBe(100)
  expect(limit.take(1, 5000, 100_000_000)).toBe(2000)
})
