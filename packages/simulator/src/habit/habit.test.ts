import fc from 'fast-check'
import { expect, test } from 'vitest'
import { habitOf, onlineFromMs } from './habit.ts'
import { lot } from './lot.ts'

test('an office device is reachable within a day, and never outside its hours', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(10_000), fc.integer({ min: 0, max: 2e12 }), (seed, device, nowMs) => {
      const habit = habitOf(seed, device, 'office')
      const fromMs = onlineFromMs(habit, nowMs)
      expect(fromMs).toBeGreaterThanOrEqual(nowMs)
      expect(fromMs - nowMs).toBeLessThan(86_400_000)
      const hour = (fromMs / 3_600_000) % 24
      expect(hour).toBeGreaterThanOrEqual(habit.online.fromHour - 0.001)
      expect(hour).toBeLessThan(habit.online.fromHour + habit.online.hours + 0.001)
    }),
  )
})

test('lots are spread evenly, and two questions draw independently', () => {
  const tenths = Array.from({ length: 10 }, () => 0)
  let both = 0
  for (let device = 0; device < 20_000; device += 1) {
    const at = Math.floor(lot(1, 'a', device) * 10)
    tenths[at] = (tenths[at] ?? 0) + 1
    if (lot(1, 'a', device) < 0.5 && lot(1, 'b', device) < 0.5) both += 1
  }
  for (const devices of tenths) expect(Math.abs(devices - 2000)).toBeLessThan(200)
  expect(Math.abs(both - 5000)).toBeLessThan(250)
})
