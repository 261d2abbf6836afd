import type { PhaseState } from '@bascule/domain/deliver/phase.ts'
import { takeBaseline } from '#/estate/configuration/baseline.service.ts'
import type { Db } from '#/platform/db/database.ts'
import { membersOf, type PhaseRow, type RolloutRow } from '../rollout/rollout.store.ts'

const labels: Partial<Record<PhaseState, string>> = {
  open: 'before',
  succeeded: 'after',
  'backed-out': 'after back-out',
}

/**
 * Keeps what the devices of a phase run when it opens and when it is left behind: one row in the transaction that moves
 * the phase, so that what the phase changed can be shown later. Going on after a pause is no new beginning.
 */
export async function keepBaseline(
  tx: Db,
  rollout: RolloutRow,
  phase: PhaseRow,
  to: PhaseState,
  madeBy: string,
  now: Temporal.Instant,
): Promise<void> {
  const label = labels[to]
  if (label === undefined || phase.size === 0 || (to === 'open' && phase.state !== 'preparing')) return
  const members = await membersOf(tx, rollout.id)
  const deviceIds = Array.from(members.keys()).filter((index) => members[index] === phase.ord)
  await takeBaseline(tx, {
    label: `${rollout.release_id}, phase ${phase.ord} "${phase.name}": ${label}`,
    of: { deviceIds },
    release: rollout.release_id,
    madeBy,
    at: now,
  })
}
