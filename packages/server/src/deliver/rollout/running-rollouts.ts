import { letsDevicesInstall, servesDevices } from '@bascule/domain/deliver/install-gate.ts'
import { isOpen, needsReturn } from '@bascule/domain/deliver/job.ts'
import type { PhaseState } from '@bascule/domain/deliver/phase.ts'
import type { RolloutState } from '@bascule/domain/deliver/rollout.ts'
import type { Db } from '#/platform/db/database.ts'
import { activeRolloutIds, membersOf } from './rollout.store.ts'

/** What a rollout wants of one device that it has not been told yet. */
export interface Work {
  readonly rolloutId: number
  readonly phase: number
  readonly action: 'install' | 'back-out'
}

interface RunningRollout {
  readonly id: number
  readonly mode: 'frozen' | 'dynamic'
  state: RolloutState
  members: Uint8Array
  /** Per fleet index: 0 no job yet, 1 has a job, 2 has nothing that could go back. Only ever says "already done"; the table decides. */
  told: Uint8Array
  phases: Map<number, PhaseState>
}

/**
 * The rollouts that may ask something of a device, in memory, so that an idle check-in costs no query. It is a copy:
 * what it forgets is found again in the tables, and what it says twice changes nothing there.
 */
export interface RunningRollouts {
  /** What this device should be told now. Empty for nearly every check-in. */
  workFor(fleetIndex: number): readonly Work[]
  /** Remembers that the table has a job for the device. */
  markTold(rolloutId: number, fleetIndex: number, action: Work['action']): void
  /** The device's desired state changed without a new phase: a retry, an excuse, a cancelled job. */
  isStale(fleetIndex: number): boolean
  setStale(fleetIndex: number, isStale: boolean): void
  /** When the device's assignment ends; null for one that asks for nothing, undefined where this server does not know. */
  expiryOf(fleetIndex: number): number | null | undefined
  setExpiry(fleetIndex: number, expiresAtMs: number | null): void
  /** Whether the device says something else of its open jobs than the last time; remembers what it says. Empty for none. */
  isNewStanding(fleetIndex: number, standing: string): boolean
  forgetStanding(fleetIndex: number): void
  phaseOf(rolloutId: number, fleetIndex: number): number
  /** The phase of each device by fleet index; another array after the audience changed. */
  membersOf(rolloutId: number): Uint8Array
  rolloutIds(): readonly number[]
  /** Rollouts that take devices which come to match later. */
  openRolloutIds(): readonly number[]
  load(): Promise<void>
  /** Reads one rollout again after it changed. */
  reload(rolloutId: number): Promise<void>
  reloadStale(): Promise<void>
}

const nothing: readonly Work[] = []
const nobody = new Uint8Array()

export function createRunningRollouts(db: Db): RunningRollouts {
  const rollouts = new Map<number, RunningRollout>()
  const expiries = new Map<number, number | null>()
  const standings = new Map<number, string>()
  let stale = new Set<number>()
  let reading: Promise<unknown> = Promise.resolve()

  /** One reading after the other: an older answer must never come after a newer one. */
  async function inTurn(read: () => Promise<void>): Promise<void> {
    const turn = reading.then(read)
    reading = turn.catch(() => undefined)
    await turn
  }

  async function readOne(rolloutId: number): Promise<void> {
    const row = await db
      .selectFrom('rollout')
      .select(['state', 'audience_mode'])
      .where('id', '=', rolloutId)
      .executeTakeFirst()
    if (!row || (await activeRolloutIds(db, rolloutId)).length === 0) {
      rollouts.delete(rolloutId)
      return
    }
    const phases = await db.selectFrom('phase').select(['ord', 'state']).where('rollout_id', '=', rolloutId).execute()
    const known = rollouts.get(rolloutId)
    const members = new Uint8Array(await membersOf(db, rolloutId))
    // Another server may have told devices meanwhile. Only who has a job can be turned around, so then it is read again.
    const isReturning = phases.some((phase) => isGoingBack(phase.state))
    const told =
      known && !isReturning ? grown(known.told, members.length) : await readTold(db, rolloutId, members.length)
    const states = new Map(phases.map((phase) => [phase.ord, phase.state]))
    rollouts.set(rolloutId, { id: rolloutId, mode: row.audience_mode, state: row.state, members, told, phases: states })
  }

  async function readAll(): Promise<void> {
    const active = await activeRolloutIds(db)
    for (const id of rollouts.keys()) if (!active.includes(id)) rollouts.delete(id)
    for (const id of active) await readOne(id)
    await readStale()
  }

  async function readStale(): Promise<void> {
    const rows = await db.selectFrom('assignment').select('device_id').where('stale', '=', true).execute()
    stale = new Set(rows.map((row) => row.device_id))
  }

  return {
    workFor(fleetIndex) {
      let work: Work[] | undefined
      for (const rollout of rollouts.values()) {
        const one = workOf(rollout, fleetIndex)
        if (one) (work ??= []).push(one)
      }
      return work ?? nothing
    },
    markTold(rolloutId, fleetIndex, action) {
      const rollout = rollouts.get(rolloutId)
      if (rollout && fleetIndex < rollout.told.length) rollout.told[fleetIndex] = action === 'install' ? 1 : 2
    },
    isStale: (fleetIndex) => stale.has(fleetIndex),
    setStale: (fleetIndex, isStale) => void (isStale ? stale.add(fleetIndex) : stale.delete(fleetIndex)),
    expiryOf: (fleetIndex) => expiries.get(fleetIndex),
    setExpiry: (fleetIndex, expiresAtMs) => void expiries.set(fleetIndex, expiresAtMs),
    isNewStanding(fleetIndex, standing) {
      if ((standings.get(fleetIndex) ?? '') === standing) return false
      if (standing === '') standings.delete(fleetIndex)
      else standings.set(fleetIndex, standing)
      return true
    },
    forgetStanding: (fleetIndex) => void standings.delete(fleetIndex),
    phaseOf: (rolloutId, fleetIndex) => rollouts.get(rolloutId)?.members[fleetIndex] ?? 0,
    membersOf: (rolloutId) => rollouts.get(rolloutId)?.members ?? nobody,
    rolloutIds: () => [...rollouts.keys()],
    openRolloutIds: () =>
      [...rollouts.values()]
        .filter(
          (rollout) => rollout.mode === 'dynamic' && rollout.state !== 'backing-out' && rollout.state !== 'backed-out',
        )
        .map((rollout) => rollout.id),
    load: async () => await inTurn(readAll),
    reload: async (rolloutId) => await inTurn(async () => await readOne(rolloutId)),
    reloadStale: async () => await inTurn(readStale),
  }
}

function workOf(rollout: RunningRollout, fleetIndex: number): Work | undefined {
  const phase = rollout.members[fleetIndex] ?? 0
  if (phase === 0) return undefined
  const told = rollout.told[fleetIndex] ?? 0
  const state = rollout.phases.get(phase)
  if (state === undefined) return undefined
  if (isGoingBack(state)) return told === 1 ? { rolloutId: rollout.id, phase, action: 'back-out' } : undefined
  if (told !== 0 || !servesDevices(rollout.state) || !letsDevicesInstall(state)) return undefined
  return { rolloutId: rollout.id, phase, action: 'install' }
}

/** A device that comes home after its phase went back is still turned around. */
export function isGoingBack(phase: PhaseState): boolean {
  return phase === 'backing-out' || phase === 'backed-out'
}

async function readTold(db: Db, rolloutId: number, size: number): Promise<Uint8Array> {
  const told = new Uint8Array(size)
  const rows = await db
    .selectFrom('job')
    .select(['device_id', 'action', 'state'])
    .where('rollout_id', '=', rolloutId)
    .execute()
  for (const { device_id: index, action, state } of rows) {
    if (index < size) told[index] = action === 'install' && (needsReturn(state) || isOpen(state)) ? 1 : 2
  }
  return told
}

function grown(told: Uint8Array, size: number): Uint8Array {
  if (told.length >= size) return told
  const larger = new Uint8Array(size)
  larger.set(told)
  return larger
}
