import { type Device, wakeAtMs } from '#/device/device.ts'
import type { SimClock } from './clock.ts'
import { createWakeHeap } from './wake-heap.ts'

export interface Drive {
  /** By their index; each turn puts the new device in the place of the old one. */
  readonly devices: Device[]
  readonly clock: SimClock
  /** One turn of a device; at most `concurrency` at a time, never two of one device. */
  readonly turn: (device: Device) => Promise<Device>
  readonly concurrency: number
  /** Asked after every turn. */
  readonly isOver: () => boolean
  readonly signal: AbortSignal
}

/**
 * Lets every device act when it is due, until the run is over, nobody is due any more, or `signal` says stop. Turns
 * that are under way are waited for. Throws what a turn throws: bad weather is an answer, so that is a mistake of ours.
 */
export async function driveFleet(drive: Drive): Promise<void> {
  const { devices, clock, concurrency, signal } = drive
  const heap = createWakeHeap()
  for (const device of devices) heap.push(device.index, wakeAtMs(device))
  const failures: unknown[] = []
  const turns = { underWay: 0 }
  let ring = (): void => {}
  signal.addEventListener('abort', () => ring(), { once: true })

  async function turn(device: Device): Promise<void> {
    turns.underWay += 1
    try {
      const after = await drive.turn(device)
      devices[after.index] = after
      heap.push(after.index, wakeAtMs(after))
    } catch (cause) {
      failures.push(cause)
    }
    turns.underWay -= 1
    ring()
  }

  const goesOn = (): boolean => failures.length === 0 && !signal.aborted && !drive.isOver()
  while (goesOn() && (heap.size > 0 || turns.underWay > 0)) {
    while (goesOn() && turns.underWay < concurrency && heap.nextMs() <= clock.nowMs()) {
      const device = devices[heap.pop() ?? -1]
      if (device) void turn(device)
    }
    if (goesOn()) await nextEvent(clock, turns.underWay < concurrency ? heap.nextMs() : Infinity, (to) => (ring = to))
  }
  while (turns.underWay > 0) await new Promise<void>((resolve) => (ring = resolve))
  if (failures.length > 0) throw failures[0]
}

/** A turn that ends, the signal, or the moment when a device is due. */
async function nextEvent(clock: SimClock, dueMs: number, setRing: (ring: () => void) => void): Promise<void> {
  await new Promise<void>((resolve) => {
    const cancel = dueMs === Infinity ? () => {} : clock.alarm(dueMs, resolve)
    setRing(() => {
      cancel()
      resolve()
    })
  })
  setRing(() => {})
}
