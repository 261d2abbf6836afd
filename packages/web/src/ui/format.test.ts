import { expect, test } from 'vitest'
import { formatClockOrDay, formatExact, formatMoment, formatRelative } from './format.ts'

// Built from local parts, because what a person reads is in the zone of that person.
const at = (...parts: [number, number, number, number, number]) => new Date(...parts).toISOString()
const now = new Date(2026, 10, 25, 20, 0).getTime()

test('a moment has weekday, day and time, and its year only when that is another one', () => {
  expect(formatMoment(at(2026, 10, 25, 18, 0), now)).toBe('Wed 25 Nov, 18:00')
  expect(formatMoment(at(2025, 10, 25, 18, 0), now)).toBe('Tue 25 Nov 2025, 18:00')
})

test('the exact time begins like the moment and says the second and the zone', () => {
  expect(formatExact(at(2026, 10, 25, 18, 0))).toMatch(/^Wed 25 Nov 2026, 18:00:00 \S+$/)
})

test('under an hour a time is relative, today a clock time, and else the whole moment', () => {
  expect(formatRelative(at(2026, 10, 25, 19, 43), now)).toBe('17 min ago')
  expect(formatRelative(at(2026, 10, 25, 13, 47), now)).toBe('13:47')
  expect(formatRelative(at(2026, 10, 24, 13, 47), now)).toBe('Tue 24 Nov, 13:47')
})

test('a narrow list never shows the time of another day as if it were of today', () => {
  expect(formatClockOrDay(at(2026, 10, 25, 13, 47), now)).toBe('13:47')
  expect(formatClockOrDay(at(2026, 10, 24, 13, 47), now)).toBe('24 Nov')
})
