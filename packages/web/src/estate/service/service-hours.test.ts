import { expect, test } from 'vitest'
import { hoursFrom, hoursText } from './service-hours.ts'

test('hours are read as they are written', () => {
  const text = 'Mon-Fri 08:00-18:00, Sat 09:00-12:00'
  expect(hoursFrom(text)).toEqual([
    { days: [1, 2, 3, 4, 5], from: '08:00', until: '18:00' },
    { days: [6], from: '09:00', until: '12:00' },
  ])
  expect(hoursText(hoursFrom(text))).toBe(text)
})

test('what is no time of the week has no days, so that the server refuses it', () => {
  expect(hoursFrom('whenever')).toEqual([{ days: [], from: 'whenever', until: '' }])
})
