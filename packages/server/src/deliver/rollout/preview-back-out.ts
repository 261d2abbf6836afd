import type { BackOutPreview } from '@bascule/contract/deliver/rollout.ts'
import type { ReleaseId } from '@bascule/domain/lib/ids.ts'
import { ok } from '@bascule/domain/lib/result.ts'
import { nobodySilent, tallyPhase, type PhaseTally } from '@bascule/domain/deliver/phase.ts'
import type * as z from 'zod'
import { firstInstallsOf } from '#/estate/configuration/first-installs.ts'
import type { Db } from '#/platform/db/database.ts'
import { notFound, type Answer } from '#/platform/lib/answer.ts'
import { findRolloutOf, observeRollout, type RolloutRow } from './rollout.store.ts'

/** What a back-out would hit, before anybody asks for it. */
export async function previewBackOut(
  db: Db,
  releaseId: ReleaseId,
  phase: number | undefined,
): Promise<Answer<z.infer<typeof BackOutPreview>>> {
  const rollout = await findRolloutOf(db, releaseId)
  const seen = rollout && (await observeRollout(db, rollout.id))
  if (!seen) return notFound('rollout')
  const tallies = seen.phases
    .filter((one) => (phase ?? one.ord) === one.ord)
    .map((one) => tallyPhase(one.size, seen.counts.get(one.ord) ?? [], nobodySilent))
  if (tallies.length === 0) return notFound('phase')
  const verified = sum(tallies, (tally) => tally.verified)
  const inFlight = sum(tallies, (tally) => tally.inFlight)
  const leftWithout = await countLeftWithout(db, seen.rollout, phase)
  return ok({
    devices: sum(tallies, (tally) => tally.size),
    verified,
    leftWithout,
    inFlight,
    notReached: sum(tallies, (tally) => tally.byBucket['not-started']),
    consequences: consequencesOf({ returning: verified - leftWithout, leftWithout, inFlight, phase }),
  })
}

/** Verified devices that had no earlier version: for them there is nothing to go back to. */
async function countLeftWithout(db: Db, rollout: RolloutRow, phase: number | undefined): Promise<number> {
  const first = await firstInstallsOf(db, rollout.release_id)
  if (first.size === 0) return 0
  const verified = await db
    .selectFrom('job')
    .select('device_id')
    .where('rollout_id', '=', rollout.id)
    .where('state', '=', 'succeeded')
    .$if(phase !== undefined, (query) => query.where('phase', '=', phase ?? 0))
    .execute()
  return verified.filter(({ device_id: device }) => first.has(device)).length
}

function sum(tallies: readonly PhaseTally[], of: (tally: PhaseTally) => number): number {
  return tallies.reduce((total, tally) => total + of(tally), 0)
}

interface Hit {
  readonly returning: number
  readonly leftWithout: number
  readonly inFlight: number
  readonly phase: number | undefined
}

/** What the numbers mean for people, without a word about devices that are not there. */
function consequencesOf({ returning, leftWithout, inFlight, phase }: Hit): string[] {
  return [
    ...(returning > 0
      ? [`${plural(returning, 'device returns', 'devices return')} to the version from before at the next check-in.`]
      : []),
    ...(leftWithout > 0
      ? [`${plural(leftWithout, 'device', 'devices')} had no earlier version and will be without this software.`]
      : []),
    ...(inFlight > 0
      ? [`${plural(inFlight, 'device is', 'devices are')} installing now; they finish, then go back.`]
      : []),
    phase === undefined
      ? 'No further device gets this release; the release ends as backed out.'
      : `Only phase ${phase} goes back; devices of other phases keep what they have. The rollout pauses.`,
  ]
}

function plural(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`
}
