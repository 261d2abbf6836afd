import { pathBetween, type Moves } from '../lib/moves.ts'

export const releaseMoves = {
  draft: ['planned', 'on-hold', 'cancelled'],
  planned: ['building', 'on-hold', 'cancelled'],
  building: ['testing', 'on-hold', 'cancelled'],
  testing: ['accepting', 'building', 'on-hold', 'cancelled'],
  accepting: ['authorised', 'planned', 'building', 'on-hold', 'cancelled'],
  authorised: ['rolling-out', 'accepting', 'on-hold', 'cancelled'],
  'rolling-out': ['early-life', 'accepting', 'backing-out'],
  'early-life': ['backing-out', 'in-review'],
  'backing-out': ['backed-out'],
  'backed-out': ['in-review'],
  'in-review': ['closed'],
  'on-hold': ['draft', 'planned', 'building', 'testing', 'accepting', 'authorised', 'cancelled'],
  closed: [],
  cancelled: [],
} as const satisfies Moves<string>

export type ReleaseState = keyof typeof releaseMoves

/** A start without gates passes them all in one moment; a rollout that is over and backed out passes its back-out. */
const passed: readonly ReleaseState[] = ['planned', 'building', 'testing', 'accepting', 'authorised', 'backing-out']

/** What a release passes through on its way; undefined where it may not go. */
export function releasePath(from: ReleaseState, to: ReleaseState): readonly ReleaseState[] | undefined {
  return pathBetween<ReleaseState>(releaseMoves, from, to, passed)
}
