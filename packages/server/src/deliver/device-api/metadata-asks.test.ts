import { expect, test } from 'vitest'
import { createMetadataAsks } from './metadata-asks.ts'

const start = Temporal.Instant.from('2026-11-23T08:00:00Z')
const after = (seconds: number) => start.add({ seconds })

test('a device that has seen more than the server is asked for it, and one that has not is not', () => {
  const asks = createMetadataAsks()
  expect(asks.asks(1, 7, 7, after(0))).toBe(false)
  expect(asks.asks(1, 8, 0, after(0))).toBe(false)
  expect(asks.asks(1, 8, 7, after(0))).toBe(true)
})

test('what a device sends is looked at once, and only when it was asked', () => {
  const asks = createMetadataAsks()
  expect(asks.takeAnswer(1)).toBe(false)
  asks.asks(1, 8, 7, after(0))
  expect([asks.takeAnswer(2), asks.takeAnswer(1), asks.takeAnswer(1)]).toEqual([false, true, false])
})

test('of a whole fleet one device a second is asked, and the same one not again for minutes', () => {
  const asks = createMetadataAsks()
  const asked = Array.from({ length: 100 }, (_, device) => asks.asks(device, 9, 7, after(0)))
  expect(asked.filter(Boolean)).toHaveLength(1)
  expect(asks.asks(0, 900, 7, after(10))).toBe(false)
  expect(asks.asks(1, 9, 7, after(10))).toBe(true)
  expect(asks.asks(0, 900, 7, after(301))).toBe(true)
})
