import type { BackOutPreview } from '@bascule/contract/deliver/rollout.ts'
import type { ReleaseId } from '@bascule/domain/lib/ids.ts'
import { ok } from '@bascule/domain/lib/result.ts'
import { nobodySilent, tallyPhase, type PhaseTally } from '@bascule/domain/deliver/phase.ts'
import type * as z from 'zod'
import type { Db } from '#/platform/db/database.ts'
import { notFound, type Answer } from '#/platform/lib/answer.ts'
import { findRolloutOf, observeRollout } from './rollout.store.ts'

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
  return ok({
    devices: sum(tallies, (tally) => tally.size),
    verified,
    inFlight,
    notReached: sum(tallies, (tally) => tally.byBucket['not-started']),
    consequences: consequencesOf(verified, inFlight, phase),
  })
}

function sum(tallies: readonly PhaseTally[], of: (tally: PhaseTally) => number): number {
  return tallies.reduce((total, tally) => total + of(tally), 0)
}

function consequencesOf(verified: number, inFlight: number, phase: number | undefined): string[] {
  return [
    `${devices(verified)} return to the version they had before, when they next check in.`,
    ...(inFlight > 0 ? [`${devices(inFlight)} are installing now; they finish and then go back.`] : []),
    phase === undefined
      ? 'No further device gets this release; the release ends as backed out.'
      : `Only phase ${phase} goes back; devices of other phases keep what they have. The rollout pauses.`,
    'Devices that had no earlier version are left without this software.',
  ]
}

function devices(count: number): string {
  return count === 1 ? '1 device' : `${count} devices`
}
