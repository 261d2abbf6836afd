/** Device numbers by the moment when they are due, earliest first; equal moments in the order in which they came. */
export interface WakeHeap {
  readonly size: number
  push(device: number, atMs: number): void
  /** The earliest moment; Infinity when nobody is due any more. */
  nextMs(): number
  pop(): number | undefined
}

interface Entry {
  readonly device: number
  readonly atMs: number
  readonly order: number
}

export function createWakeHeap(): WakeHeap {
  const heap: Entry[] = []
  let pushed = 0

  function isBefore(a: number, b: number): boolean {
    const [one, other] = [heap[a], heap[b]]
    if (!one || !other) return one !== undefined
    return one.atMs === other.atMs ? one.order < other.order : one.atMs < other.atMs
  }

  function swap(a: number, b: number): void {
    const [one, other] = [heap[a], heap[b]]
    if (one && other) [heap[a], heap[b]] = [other, one]
  }

  function rise(from: number): void {
    for (let at = from; at > 0;) {
      const parent = (at - 1) >> 1
      if (!isBefore(at, parent)) return
      swap(at, parent)
      at = parent
    }
  }

  function sink(): void {
    for (let at = 0; ;) {
      const [left, right] = [2 * at + 1, 2 * at + 2]
      const child = right < heap.length && isBefore(right, left) ? right : left
      if (child >= heap.length || !isBefore(child, at)) return
      swap(at, child)
      at = child
    }
  }

  return {
    get size() {
      return heap.length
    },
    push(device, atMs) {
      if (atMs === Infinity) return
      heap.push({ device, atMs, order: pushed++ })
      rise(heap.length - 1)
    },
    nextMs: () => heap[0]?.atMs ?? Infinity,
    pop() {
      const first = heap[0]
      const last = heap.pop()
      if (first && last && heap.length > 0) {
        heap[0] = last
        sink()
      }
      return first?.device
    },
  }
}
