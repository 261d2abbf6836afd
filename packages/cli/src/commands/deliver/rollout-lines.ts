import { tableLines } from '#/lib/table.ts'
import type { ApiClient } from '#/lib/with-server.ts'

export type RolloutSeen = Awaited<ReturnType<ApiClient['deliver']['rollout']['get']>>

/** One line per phase: `Phase 2 Designers  1 of 2 verified  1 failed  open`. */
export function rolloutLines({ phases }: Pick<RolloutSeen, 'phases'>): string[] {
  return tableLines(
    phases.map(({ order, name, state, tally }) => [
      `Phase ${order} ${name}`,
      `${tally.verified} of ${tally.size} verified`,
      `${tally.inFlight} in flight`,
      `${tally.failures} failed`,
      state,
    ]),
  )
}
