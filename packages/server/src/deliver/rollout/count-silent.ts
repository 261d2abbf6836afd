import { bucketOf, isInFlight, type JobState } from '@bascule/domain/deliver/job.ts'
import { nobodySilent } from '@bascule/domain/deliver/phase.ts'
import { sql } from 'kysely'
import type { Fleet } from '#/estate/device/fleet.ts'
import type { Db } from '#/platform/db/database.ts'
import type { CountSilent, SilentCount } from './rollout.reconciler.ts'
import type { RunningRollouts } from './running-rollouts.ts'

/** Silence grows in minutes, so who is quiet is looked up again after this long and not at every look at a rollout. */
const keepQuietMs = 5000

/**
 * Counts the devices of a phase that have gone quiet. Who is quiet is known from memory; only when somebody is, one
 * query asks what those few were doing. A device that is done may be quiet as long as it likes. One that was revoked while
 * the rollout runs cannot speak any more and counts as quiet, so that a person sees it and excuses it.
 */
export function countSilentOf({ db, fleet, running }: SilenceServices): CountSilent {
  const isQuiet = (index: number, nowMs: number) => fleet.isSilent(index, nowMs) || fleet.isGone(index)
  const quietDevices = rememberQuiet(running, isQuiet)
  fleet.onChange(quietDevices.forget)
  return async (rolloutId, phase, now) => {
    const nowMs = now.epochMilliseconds
    // Who was heard of since the list was made is quiet no longer.
    const quiet = quietDevices.ofPhase(rolloutId, phase, nowMs).filter((index) => isQuiet(index, nowMs))
    return quiet.length === 0 ? nobodySilent : await whatTheyDid(db, rolloutId, quiet)
  }
}

interface SilenceServices {
  readonly db: Db
  readonly fleet: Pick<Fleet, 'isSilent' | 'isGone' | 'onChange'>
  readonly running: RunningRollouts
}

/** Going through all members of a phase costs as much as the phase has devices; it is done at most every few seconds. */
function rememberQuiet(running: RunningRollouts, isQuiet: (index: number, nowMs: number) => boolean) {
  const known = new Map<string, { readonly atMs: number; readonly members: Uint8Array; readonly quiet: number[] }>()
  return {
    forget: () => known.clear(),
    ofPhase(rolloutId: number, phase: number, nowMs: number): readonly number[] {
      const key = `${rolloutId}/${phase}`
      const members = running.membersOf(rolloutId)
      const before = known.get(key)
      const isFresh = before?.members === members && Math.abs(nowMs - before.atMs) < keepQuietMs
      if (before && isFresh) return before.quiet
      const quiet = placesOf(members, phase).filter((index) => isQuiet(index, nowMs))
      known.set(key, { atMs: nowMs, members, quiet })
      return quiet
    },
  }
}

/** Fleet indexes of the devices of a phase. */
function placesOf(members: Uint8Array, phase: number): number[] {
  const places: number[] = []
  for (let index = members.indexOf(phase); index !== -1; index = members.indexOf(phase, index + 1)) places.push(index)
  return places
}

async function whatTheyDid(db: Db, rolloutId: number, quiet: readonly number[]): Promise<SilentCount> {
  const rows = await sql<{ state: JobState; devices: number }>`
    select state, count(*)::int as devices from job
    where rollout_id = ${rolloutId} and device_id = any(${[...quiet]}::int[]) group by state`.execute(db)
  const known = rows.rows.reduce((total, row) => total + row.devices, 0)
  const count = (takes: (state: JobState) => boolean) =>
    rows.rows.filter((row) => takes(row.state)).reduce((total, row) => total + row.devices, 0)
  return {
    notStarted: quiet.length - known,
    inProgress: count((state) => bucketOf(state) === 'in-progress'),
    blocked: count((state) => bucketOf(state) === 'blocked'),
    inFlight: count(isInFlight),
  }
}
