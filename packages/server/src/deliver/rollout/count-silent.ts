import { bucketOf, type JobState } from '@bascule/domain/deliver/job.ts'
import { nobodySilent } from '@bascule/domain/deliver/phase.ts'
import { sql } from 'kysely'
import type { Fleet } from '#/estate/device/fleet.ts'
import type { Db } from '#/platform/db/database.ts'
import type { CountSilent, SilentCount } from './rollout.reconciler.ts'
import type { RunningRollouts } from './running-rollouts.ts'

/**
 * Counts the devices of a phase that have gone quiet. Who is quiet is known from memory; only when somebody is, one
 * query asks what those few were doing. A device that is done may be quiet as long as it likes. One that was revoked while
 * the rollout runs cannot speak any more and counts as quiet, so that a person sees it and excuses it.
 */
export function countSilentOf(services: {
  db: Db
  fleet: Pick<Fleet, 'isSilent' | 'isGone'>
  running: RunningRollouts
}): CountSilent {
  return async (rolloutId, phase, now) => {
    const nowMs = now.epochMilliseconds
    const quiet: number[] = []
    for (const index of services.running.membersOfPhase(rolloutId, phase)) {
      if (services.fleet.isSilent(index, nowMs) || services.fleet.isGone(index)) quiet.push(index)
    }
    return quiet.length === 0 ? nobodySilent : await whatTheyDid(services.db, rolloutId, quiet)
  }
}

async function whatTheyDid(db: Db, rolloutId: number, quiet: readonly number[]): Promise<SilentCount> {
  const rows = await sql<{ state: JobState; devices: number }>`
    select state, count(*)::int as devices from job
    where rollout_id = ${rolloutId} and device_id = any(${[...quiet]}::int[]) group by state`.execute(db)
  const known = rows.rows.reduce((total, row) => total + row.devices, 0)
  const inBucket = (bucket: string) =>
    rows.rows.filter((row) => bucketOf(row.state) === bucket).reduce((total, row) => total + row.devices, 0)
  return { notStarted: quiet.length - known, inProgress: inBucket('in-progress'), blocked: inBucket('blocked') }
}
