import type { Facts } from '@bascule/contract/device/protocol.ts'
import type { DeviceState } from '@bascule/domain/estate/device/device-state.ts'
import type { Logger } from 'pino'
import type { DatabaseHandle } from '#/platform/db/connect.ts'
import type { EventBus, Notice } from '#/platform/events/bus.ts'
import { createFleetMemory, type FleetMemory } from './fleet-memory.ts'
import { readDevices, readFleet, writePresence } from './presence.store.ts'
import { updateFacts } from './device-facts.service.ts'

/** A device that the server knows, whatever its state; only an active one gets anything. */
export interface FleetDevice {
  /** The fleet index: the device's place in the byte arrays of rollouts. */
  readonly index: number
  readonly keyId: string
  readonly publicKey: string
  readonly state: DeviceState
}

/** Every device in memory. Nothing here but `saveFacts`, `refresh` and `flush` asks the database. */
export interface Fleet {
  readonly size: number
  find(keyId: string): FleetDevice | undefined
  /** The device was heard of just now. Written down within two seconds; a crash may lose that much. */
  touch(index: number, nowMs: number): void
  /** False for a number that is not above all numbers heard from this device: a replay. */
  acceptSeq(index: number, seq: number): boolean
  /** Hash of the facts that are stored; zeros for none. */
  factsHash(index: number): string
  /** Stores facts that changed, and judges drift, before it answers. */
  saveFacts(index: number, facts: Facts, factsHash: string, agentVersion: string): Promise<void>
  /** What `deliver` knows of the device: its desired generation and the highest report that is stored. Not kept here over a restart. */
  generation(index: number): number
  setGeneration(index: number, generation: number): void
  reportHigh(index: number): number
  raiseReportHigh(index: number, seq: number): void
  lastSeenMs(index: number): number
  /** When a silent device was last heard of; undefined for one that keeps its habit or is not active. */
  silentSince(index: number, nowMs: number): number | undefined
  isSilent(index: number, nowMs: number): boolean
  /** The device was suspended, revoked or decommissioned: it gets nothing and is not heard any more. */
  isGone(index: number): boolean
  /** How many active devices are silent, of all or of those that a predicate takes. */
  countSilent(nowMs: number, isCounted?: (index: number) => boolean): number
  /** Fleet indexes of the active devices that are silent. */
  silentIndexes(nowMs: number): number[]
  /** Told of devices that appeared or changed their state; returns what ends the telling. */
  onChange(listener: (keyIds: readonly string[] | 'all') => void): () => void
  /** Reads these devices again: who changed one calls this after the commit, and the others hear it as an event. */
  refresh(keyIds: readonly string[] | 'all'): Promise<void>
  /** Writes what was heard since the last time. */
  flush(): Promise<void>
}

export interface FleetOptions {
  readonly database: DatabaseHandle
  readonly now: () => Temporal.Instant
  /** What an idle device is asked to keep to. */
  readonly checkInSeconds: number
}

const gone = new Set<DeviceState | undefined>(['suspended', 'revoked', 'decommissioned'])

/** Devices per statement when presence is written. */
const flushBatch = 10_000
const flushEveryMs = 2000

/** A fleet that is still empty; `openFleet` fills it and keeps it true. */
export function createFleet({ database, now, checkInSeconds }: FleetOptions): Fleet {
  const { db, connection } = database
  const memory = createFleetMemory()
  const listeners = new Set<(keyIds: readonly string[] | 'all') => void>()
  const listeningSinceMs = now().epochMilliseconds

  const silentSince = (index: number, nowMs: number): number | undefined => {
    if (memory.stateOf(index) !== 'active') return undefined
    return nowMs > memory.silentFromMsOf(index, checkInSeconds, listeningSinceMs)
      ? memory.lastSeenMsOf(index)
      : undefined
  }

  return {
    get size() {
      return memory.size
    },
    find: (keyId) => findIn(memory, keyId),
    touch: memory.touch,
    acceptSeq: memory.acceptSeq,
    factsHash: memory.factsHashOf,
    async saveFacts(index, facts, factsHash, agentVersion) {
      await updateFacts(db, { deviceId: index, facts, factsHash, agentVersion, at: now() })
      memory.setFactsHash(index, factsHash)
    },
    generation: memory.generationOf,
    setGeneration: memory.setGeneration,
    reportHigh: memory.reportHighOf,
    raiseReportHigh: memory.raiseReportHigh,
    lastSeenMs: memory.lastSeenMsOf,
    silentSince,
    isSilent: (index, nowMs) => silentSince(index, nowMs) !== undefined,
    isGone: (index) => gone.has(memory.stateOf(index)),
    countSilent(nowMs, isCounted = () => true) {
      let silent = 0
      for (const index of memory.indexes()) if (isCounted(index) && silentSince(index, nowMs) !== undefined) silent += 1
      return silent
    },
    silentIndexes: (nowMs) => Array.from(memory.indexes()).filter((index) => silentSince(index, nowMs) !== undefined),
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async refresh(keyIds) {
      if (keyIds === 'all') await readFleet(connection, memory.put)
      else for (const row of await readDevices(db, keyIds)) memory.put(row)
      for (const listener of listeners) listener(keyIds)
    },
    async flush() {
      const { ids, lastSeenMs, seqs, habits } = memory.takeChanged()
      for (let from = 0; from < ids.length; from += flushBatch) {
        const to = from + flushBatch
        const part = {
          ids: ids.slice(from, to),
          lastSeenMs: lastSeenMs.slice(from, to),
          seqs: seqs.slice(from, to),
          habits: habits.slice(from, to),
        }
        await writePresence(db, part).catch((cause: unknown) => {
          memory.markChanged(ids.slice(from))
          throw new Error('Writing down when devices were last heard of failed', { cause })
        })
      }
    },
  }
}

function findIn(memory: FleetMemory, keyId: string): FleetDevice | undefined {
  const index = memory.indexOf(keyId)
  const state = index === undefined ? undefined : memory.stateOf(index)
  if (index === undefined || state === undefined) return undefined
  return { index, keyId, publicKey: memory.publicKeyOf(index), state }
}

/** Fills the fleet and keeps it true: devices that changed are read again, and presence is written every two seconds. */
export async function openFleet(fleet: Fleet, { bus, log }: { bus: EventBus; log: Logger }): Promise<AsyncDisposable> {
  const stop = bus.listen((notice) => {
    const changed = devicesOf(notice)
    if (changed.length === 0) return
    fleet.refresh(changed).catch((cause: unknown) => {
      log.error({ err: cause }, 'devices that changed could not be read again')
    })
  })
  await fleet.refresh('all')
  let flushing: Promise<void> | undefined
  const timer = setInterval(() => {
    // A flush that takes long gathers more for the next one; two at once would only wait for each other.
    flushing ??= fleet
      .flush()
      .catch((cause: unknown) => {
        log.warn({ err: cause }, 'presence of devices is written later')
      })
      .finally(() => {
        flushing = undefined
      })
  }, flushEveryMs)
  return {
    async [Symbol.asyncDispose]() {
      stop()
      clearInterval(timer)
      await flushing
      await fleet.flush()
    },
  }
}

function devicesOf(notice: Notice): readonly string[] | 'all' {
  if (notice === 'missed') return 'all'
  const ids = notice.filter((change) => change.entity === 'device').map((change) => change.id)
  return ids.includes('*') ? 'all' : ids
}
