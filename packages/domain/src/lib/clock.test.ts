import { expect, test } from 'vitest'
import { manualClock } from './clock.ts'

test('a manual clock stands still until somebody moves it', () => {
  const clock = manualClock('2026-11-23T08:00:00Z')
  expect(clock.now().toString()).toBe('2026-11-23T08:00:00Z')
  clock.advance({ minutes: 90 })
  expect(clock.now().toString()).toBe('2026-11-23T09:30:00Z')
  clock.set(Temporal.Instant.from('2026-11-24T00:00:00Z'))
  expect(clock.now().toString()).toBe('2026-11-24T00:00:00Z')
})
