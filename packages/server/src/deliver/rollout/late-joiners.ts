import { letsDevicesInstall } from '@bascule/domain/deliver/install-gate.ts'
import type { PhaseState } from '@bascule/domain/deliver/phase.ts'
import { parseQuery } from '@bascule/domain/estate/query/parse-query.ts'
import type { Logger } from 'pino'
import { matchesDevice, selectDevices } from '#/estate/audience/audience.service.ts'
import type { Fleet } from '#/estate/device/fleet.ts'
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

/** Looks at devices again that have been moved, and at all of them when it cannot be said which. */
export interface LateJoiners {
  look(deviceKeyIds: readonly string[] | 'all'): void
  /** Settles when nothing is being looked at. */
  idle(): Promise<void>
}

export interface LateJoinerServices {
  readonly db: Db
  readonly fleet: Pick<Fleet, 'find'>
  readonly running: RunningRollouts
  readonly now: () => Temporal.Instant
  readonly log: Logger
}

/**
 * What devices say of themselves is looked at when they say it; what people say of them (site, role, org unit, tags, or
 * that a site is called something else) is looked at here, after it was committed. One look at a time: what comes
 * meanwhile is gathered for the next one.
 */
export function createLateJoiners({ db, fleet, running, now, log }: LateJoinerServices): LateJoiners {
  const moved = new Set<string>()
  let isAllMoved = false
  let isLooking = false
  let looking: Promise<void> = Promise.resolve()

  async function lookUntilDone(): Promise<void> {
    isLooking = true
    try {
      while (moved.size > 0 || isAllMoved) await lookOnce()
    } catch (cause) {
      log.error({ err: cause }, 'devices that came to match a rollout could not be looked for')
      // Nobody knows any more whom it was about, so the next look is at all of them.
      isAllMoved = true
    } finally {
      isLooking = false
    }
  }

  async function lookOnce(): Promise<void> {
    const keyIds = [...moved]
    const isAll = isAllMoved
    moved.clear()
    isAllMoved = false
    if (running.openRolloutIds().length === 0) return
    const ids = isAll ? await strangersOf(db, running) : keyIds.flatMap((keyId) => fleet.find(keyId)?.index ?? [])
    for (const id of ids) await joinLate(db, running, id, now())
  }

  return {
    look(deviceKeyIds) {
      if (deviceKeyIds === 'all') isAllMoved = true
      else for (const keyId of deviceKeyIds) moved.add(keyId)
      if (!isLooking) looking = lookUntilDone()
    },
    async idle() {
      await looking
    },
  }
}

/** Devices that match the audience of an open rollout and do not belong to it: one question per rollout. */
async function strangersOf(db: Db, running: RunningRollouts): Promise<number[]> {
  const strangers = new Set<number>()
  for (const rolloutId of running.openRolloutIds()) {
    const row = await db
      .selectFrom('rollout')
      .select('audience_query')
      .where('id', '=', rolloutId)
      .executeTakeFirstOrThrow()
    const query = parseQuery(row.audience_query)
    if (!query.ok) throw new Error(`The stored query "${row.audience_query}" is not one: ${query.error.message}`)
    for (const { id } of await selectDevices(db, query.value)) {
      if (running.phaseOf(rolloutId, id) === 0) strangers.add(id)
    }
  }
  return [...strangers]
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
