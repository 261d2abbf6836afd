import { deviceStates, type DeviceState } from '@bascule/domain/estate/device/device-state.ts'
import { nextHabit, silentFromMs } from '@bascule/domain/estate/device/silence.ts'

/** A device as the database tells of it. */
export interface FleetRow {
  readonly id: number
  readonly keyId: string
  readonly publicKey: string
  readonly state: DeviceState
  readonly factsHash: string
  readonly lastSeenMs: number
  readonly seq: number
  readonly habitSeconds: number
}

/** What is written behind: only this may be lost in a crash. */
export interface Presence {
  readonly ids: readonly number[]
  readonly lastSeenMs: readonly number[]
  readonly seqs: readonly number[]
  readonly habits: readonly number[]
}

/**
 * The compact record of every device, about 150 bytes each: where a device stands in the byte arrays of rollouts, and
 * what a check-in needs to be answered without a query.
 */
export function createFleetMemory() {
  const indexByKey = new Map<string, number>()
  const dirty = new Set<number>()
  let arrays = makeArrays(1024)

  function put(row: FleetRow): void {
    arrays = grown(arrays, row.id)
    indexByKey.set(row.keyId, row.id)
    arrays.state[row.id] = deviceStates.indexOf(row.state) + 1
    arrays.publicKey.write(row.publicKey, row.id * 32, 'hex')
    setFactsHash(row.id, row.factsHash)
    // What this process has heard may be newer than what is written down.
    arrays.lastSeenMs[row.id] = Math.max(get(arrays.lastSeenMs, row.id), row.lastSeenMs)
    arrays.seq[row.id] = Math.max(get(arrays.seq, row.id), row.seq)
    if (get(arrays.habitSeconds, row.id) === 0) arrays.habitSeconds[row.id] = row.habitSeconds
  }

  function setFactsHash(index: number, hash: string): void {
    arrays.factsHash.fill(0, index * 32, index * 32 + 32)
    arrays.factsHash.write(hash, index * 32, 'hex')
  }

  return {
    put,
    setFactsHash,
    get size() {
      return indexByKey.size
    },
    indexOf: (keyId: string) => indexByKey.get(keyId),
    indexes: () => indexByKey.values(),
    stateOf: (index: number): DeviceState | undefined => deviceStates[get(arrays.state, index) - 1],
    publicKeyOf: (index: number) => arrays.publicKey.toString('hex', index * 32, index * 32 + 32),
    factsHashOf: (index: number) => arrays.factsHash.toString('hex', index * 32, index * 32 + 32),
    lastSeenMsOf: (index: number) => get(arrays.lastSeenMs, index),
    generationOf: (index: number) => get(arrays.generation, index),
    setGeneration: (index: number, generation: number): void => {
      arrays.generation[index] = generation
    },
    reportHighOf: (index: number) => get(arrays.reportHigh, index),
    raiseReportHigh: (index: number, seq: number): void => {
      arrays.reportHigh[index] = Math.max(get(arrays.reportHigh, index), seq)
    },
    acceptSeq: (index: number, seq: number): boolean => {
      if (seq <= get(arrays.seq, index)) return false
      arrays.seq[index] = seq
      dirty.add(index)
      return true
    },
    touch: (index: number, nowMs: number): void => {
      const pauseSeconds = (nowMs - get(arrays.lastSeenMs, index)) / 1000
      arrays.habitSeconds[index] = nextHabit(get(arrays.habitSeconds, index), pauseSeconds)
      arrays.lastSeenMs[index] = nowMs
      dirty.add(index)
    },
    silentFromMsOf(index: number, expectedSeconds: number, listeningSinceMs: number): number {
      // While nobody listened, nobody could be heard.
      const heardMs = Math.max(get(arrays.lastSeenMs, index), listeningSinceMs)
      return silentFromMs(heardMs, get(arrays.habitSeconds, index), expectedSeconds)
    },
    /** Takes out what changed since the last time, in the order of the fleet. */
    takeChanged(): Presence {
      const ids = Array.from(dirty).toSorted((a, b) => a - b)
      dirty.clear()
      return {
        ids,
        lastSeenMs: ids.map((id) => get(arrays.lastSeenMs, id)),
        seqs: ids.map((id) => get(arrays.seq, id)),
        habits: ids.map((id) => get(arrays.habitSeconds, id)),
      }
    },
    /** Puts back what could not be written. */
    markChanged(ids: readonly number[]): void {
      for (const id of ids) dirty.add(id)
    },
  }
}

export type FleetMemory = ReturnType<typeof createFleetMemory>

function makeArrays(capacity: number) {
  return {
    capacity,
    state: new Uint8Array(capacity),
    lastSeenMs: new Float64Array(capacity),
    seq: new Float64Array(capacity),
    habitSeconds: new Float32Array(capacity),
    generation: new Float64Array(capacity),
    reportHigh: new Float64Array(capacity),
    publicKey: Buffer.alloc(capacity * 32),
    factsHash: Buffer.alloc(capacity * 32),
  }
}

type Arrays = ReturnType<typeof makeArrays>

/** Twice the room when an index does not fit; the old arrays are copied as they are. */
function grown(arrays: Arrays, index: number): Arrays {
  if (index < arrays.capacity) return arrays
  let capacity = arrays.capacity
  while (capacity <= index) capacity *= 2
  const larger = makeArrays(capacity)
  larger.state.set(arrays.state)
  larger.lastSeenMs.set(arrays.lastSeenMs)
  larger.seq.set(arrays.seq)
  larger.habitSeconds.set(arrays.habitSeconds)
  larger.generation.set(arrays.generation)
  larger.reportHigh.set(arrays.reportHigh)
  larger.publicKey.set(arrays.publicKey)
  larger.factsHash.set(arrays.factsHash)
  return larger
}

function get(array: Uint8Array | Float64Array | Float32Array, index: number): number {
  return array[index] ?? 0
}
