import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createWakeHeap } from './wake-heap.ts'

test('devices come out in the order of their moments, and equal moments in the order they went in', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20), { maxLength: 200 }), (moments) => {
      const heap = createWakeHeap()
      for (const [device, atMs] of moments.entries()) heap.push(device, atMs)
      const sorted = moments.map((atMs, device) => ({ device, atMs })).toSorted((a, b) => a.atMs - b.atMs)
      const out = moments.map(() => heap.pop())
      expect(out).toEqual(sorted.map(({ device }) => device))
      expect(heap.size).toBe(0)
    }),
  )
})

test('a device that is due at no moment is never due', () => {
  const heap = createWakeHeap()
  heap.push(1, Infinity)
  expect(heap.nextMs()).toBe(Infinity)
  expect(heap.pop()).toBeUndefined()
})
