import { letsDevicesInstall } from '@bascule/domain/deliver/install-gate.ts'
import type { PhaseState } from '@bascule/domain/deliver/phase.ts'
import { matchesDevice } from '#/estate/audience/audience.service.ts'
import type { Db } from '#/platform/db/database.ts'
import { wake } from '#/platform/jobs/timer.ts'
import { record } from '#/platform/ledger/record.ts'
import { system } from '#/platform/lib/actor.ts'
import { lasting } from './rollout.service.ts'
import { claimRevision, membersOf, observeRollout, type ObservedRollout } from './rollout.store.ts'
import type { RunningRollouts } from './running-rollouts.ts'

/**
 * Lets a device into the running rollouts with a dynamic audience that it has come to match. It joins the first phase
 * that takes it and has not gone wrong, and is counted as a late joiner there; a frozen audience never grows.
 */
export async function joinLate(
  db: Db,
  running: RunningRollouts,
  deviceId: number,
  now: Temporal.Instant,
): Promise<void> {
  for (const rolloutId of running.openRolloutIds()) {
    if (running.phaseOf(rolloutId, deviceId) !== 0) continue
    const joined = await db.transaction().execute(async (tx) => await joinOne(tx, rolloutId, deviceId, now))
    if (joined) await running.reload(rolloutId)
  }
}

/** The rollout is locked first: a device whose facts come twice at once joins once, or the audience would not add up. */
async function joinOne(tx: Db, rolloutId: number, deviceId: number, now: Temporal.Instant): Promise<boolean> {
  await tx.selectFrom('rollout').select('id').where('id', '=', rolloutId).forNoKeyUpdate().execute()
  const seen = await observeRollout(tx, rolloutId)
  if (!seen || !lasting.includes(seen.rollout.state)) return false
  const members = await membersOf(tx, rolloutId)
  if ((members[deviceId] ?? 0) !== 0 || !(await matchesDevice(tx, seen.rollout.audience_query, deviceId))) return false
  const order = await phaseFor(tx, seen, deviceId)
  if (order === undefined || !(await claimRevision(tx, rolloutId, seen.rollout.rev))) return false
  await tx
    .updateTable('rollout')
    .set({ members: withMember(members, deviceId, order) })
    .where('id', '=', rolloutId)
    .execute()
  await tx
    .updateTable('phase')
    .set((eb) => ({ size: eb('size', '+', 1), late_joiners: eb('late_joiners', '+', 1) }))
    .where('rollout_id', '=', rolloutId)
    .where('ord', '=', order)
    .execute()
  const size = seen.phases.find((phase) => phase.ord === order)?.size ?? 0
  await record(tx, {
    actor: system,
    at: now,
    did: 'phase.joined-late',
    subject: { kind: 'phase', id: `${rolloutId}/${order}` },
    releaseId: seen.rollout.release_id,
    before: { size },
    after: { size: size + 1, device: deviceId },
  })
  await wake(tx, 'rollout', String(rolloutId), now)
  return true
}

async function phaseFor(tx: Db, seen: ObservedRollout, deviceId: number): Promise<number | undefined> {
  for (const phase of seen.phases) {
    if (takesLate(phase.state) && (await matchesDevice(tx, phase.query, deviceId))) return phase.ord
  }
  return undefined
}

function takesLate(state: PhaseState): boolean {
  return state === 'waiting' || state === 'preparing' || state === 'paused' || letsDevicesInstall(state)
}

function withMember(members: Uint8Array, deviceId: number, order: number): Buffer {
  const grown = Buffer.alloc(Math.max(members.length, deviceId + 1))
  grown.set(members)
  grown[deviceId] = order
  return grown
}
