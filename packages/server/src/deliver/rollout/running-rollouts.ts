import { letsDevicesInstall } from '@bascule/domain/deliver/install-gate.ts'
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
  /** Per fleet index: 0 nothing yet, 1 has a job, 2 was told to go back. Only ever says "already done"; the table decides. */
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
  clearStale(fleetIndex: number): void
  phaseOf(rolloutId: number, fleetIndex: number): number
  /** Devices of a phase by fleet index; for counting those that went quiet. */
  membersOfPhase(rolloutId: number, phase: number): Iterable<number>
  rolloutIds(): readonly number[]
  /** Running rollouts that take devices which come to match later. */
  openRolloutIds(): readonly number[]
  load(): Promise<void>
  /** Reads one rollout again after it changed. */
  reload(rolloutId: number): Promise<void>
  reloadStale(): Promise<void>
}

const nothing: readonly Work[] = []

export function createRunningRollouts(db: Db): RunningRollouts {
  const rollouts = new Map<number, RunningRollout>()
  let stale = new Set<number>()

  async function reload(rolloutId: number): Promise<void> {
    const row = await db
      .selectFrom('rollout')
      .select(['state', 'audience_mode'])
      .where('id', '=', rolloutId)
      .executeTakeFirst()
    if (!row || isOver(row.state)) {
      rollouts.delete(rolloutId)
      return
    }
    const phases = await db.selectFrom('phase').select(['ord', 'state']).where('rollout_id', '=', rolloutId).execute()
    const known = rollouts.get(rolloutId)
    const members = new Uint8Array(await membersOf(db, rolloutId))
    const told = known ? grown(known.told, members.length) : await readTold(db, rolloutId, members.length)
    const states = new Map(phases.map((phase) => [phase.ord, phase.state]))
    rollouts.set(rolloutId, { id: rolloutId, mode: row.audience_mode, state: row.state, members, told, phases: states })
  }

  async function reloadStale(): Promise<void> {
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
    clearStale: (fleetIndex) => void stale.delete(fleetIndex),
    phaseOf: (rolloutId, fleetIndex) => rollouts.get(rolloutId)?.members[fleetIndex] ?? 0,
    *membersOfPhase(rolloutId, phase) {
      const members = rollouts.get(rolloutId)?.members ?? new Uint8Array()
      for (let index = members.indexOf(phase); index !== -1; index = members.indexOf(phase, index + 1)) yield index
    },
    rolloutIds: () => [...rollouts.keys()],
    openRolloutIds: () =>
      [...rollouts.values()]
        .filter((rollout) => rollout.mode === 'dynamic' && mayOffer(rollout.state))
        .map((rollout) => rollout.id),
    async load() {
      for (const id of await activeRolloutIds(db)) await reload(id)
      await reloadStale()
    },
    reload,
    reloadStale,
  }
}

function workOf(rollout: RunningRollout, fleetIndex: number): Work | undefined {
  const phase = rollout.members[fleetIndex] ?? 0
  if (phase === 0) return undefined
  const told = rollout.told[fleetIndex] ?? 0
  const state = rollout.phases.get(phase)
  if (state === undefined) return undefined
  if (state === 'backing-out') return told === 1 ? { rolloutId: rollout.id, phase, action: 'back-out' } : undefined
  if (told !== 0 || !mayOffer(rollout.state) || !letsDevicesInstall(state)) return undefined
  return { rolloutId: rollout.id, phase, action: 'install' }
}

/** A finished rollout still serves a device that comes home late; a paused one begins nothing new. */
function mayOffer(state: RolloutState): boolean {
  return state === 'running' || state === 'completed' || state === 'completed-with-residual'
}

function isOver(state: RolloutState): boolean {
  return state === 'aborted' || state === 'closed' || state === 'backed-out' || state === 'draft' || state === 'planned'
}

async function readTold(db: Db, rolloutId: number, size: number): Promise<Uint8Array> {
  const told = new Uint8Array(size)
  const rows = await db.selectFrom('job').select(['device_id', 'action']).where('rollout_id', '=', rolloutId).execute()
  for (const row of rows) if (row.device_id < size) told[row.device_id] = row.action === 'back-out' ? 2 : 1
  return told
}

function grown(told: Uint8Array, size: number): Uint8Array {
  if (told.length >= size) return told
  const larger = new Uint8Array(size)
  larger.set(told)
  return larger
}
