import { pathBetween, type Moves } from '../lib/moves.ts'
import type { PhaseState } from './phase.ts'
import type { RolloutState } from './rollout.ts'

export const phaseMoves: Moves<PhaseState> = {
  waiting: ['preparing', 'skipped'],
  preparing: ['open', 'waiting'],
  open: ['soaking', 'paused', 'evaluating', 'backing-out'],
  soaking: ['paused', 'evaluating', 'backing-out'],
  evaluating: ['succeeded', 'not-enough-evidence', 'held', 'failed'],
  'not-enough-evidence': ['evaluating', 'held'],
  held: ['open', 'paused', 'succeeded', 'backing-out'],
  succeeded: ['backing-out'],
  failed: ['backing-out', 'held'],
  paused: ['open', 'soaking', 'backing-out'],
  'backing-out': ['backed-out'],
  'backed-out': [],
  skipped: [],
}

export const rolloutMoves: Moves<RolloutState> = {
  draft: ['planned', 'aborted'],
  planned: ['authorised', 'aborted'],
  authorised: ['scheduled', 'planned'],
  scheduled: ['running', 'aborted'],
  running: ['paused', 'completed', 'completed-with-residual', 'backing-out'],
  paused: ['running', 'backing-out', 'aborted'],
  completed: ['backing-out', 'closed'],
  'completed-with-residual': ['backing-out', 'closed'],
  'backing-out': ['backed-out'],
  'backed-out': [],
  aborted: [],
  closed: [],
}

/** What a phase passes through on its way; undefined where it may not go. The stop rule evaluates, a person holds. */
export function phasePath(from: PhaseState, to: PhaseState): readonly PhaseState[] | undefined {
  return pathBetween(phaseMoves, from, to, ['evaluating', 'held'])
}

/** What a rollout passes through on its way; undefined where it may not go. */
export function rolloutPath(from: RolloutState, to: RolloutState): readonly RolloutState[] | undefined {
  return pathBetween(rolloutMoves, from, to, ['planned', 'authorised', 'scheduled', 'running', 'backing-out'])
}
