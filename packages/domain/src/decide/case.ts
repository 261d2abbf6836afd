import type { Moves } from '../lib/moves.ts'

/** What a board can be asked. Each kind becomes exactly one change of one role file. */
export const caseKinds = [
  'go',
  'emergency',
  'ratify',
  'open-phases',
  'withdraw',
  'back-out-from',
  'stop',
  'lift-stop',
] as const
export type CaseKind = (typeof caseKinds)[number]

export const caseMoves = {
  preparing: ['open'],
  open: ['go', 'no-go', 'deferred', 'superseded'],
  go: ['revoked', 'expired', 'superseded', 'fulfilled'],
  deferred: ['open', 'superseded'],
  'no-go': [],
  revoked: [],
  expired: [],
  superseded: [],
  fulfilled: [],
} as const satisfies Moves<string>
export type CaseState = keyof typeof caseMoves
export const caseStates = Object.keys(caseMoves) as [CaseState, ...CaseState[]]

/** What one member of the role has said about a case; a later word takes the place of an earlier one. */
export interface Vote {
  readonly keyId: string
  readonly said: 'go' | 'no-go' | 'defer'
}

/**
 * How a case stands. The quorum decides and dissent is recorded: a Go needs the signatures, whatever others say; the
 * case ends without one as soon as the signatures that are still possible are too few. Then more words for no-go than
 * for later make it a no-go, and otherwise it is deferred.
 */
export function outcomeOf(
  votes: readonly Vote[],
  quorum: { readonly members: readonly string[]; readonly threshold: number },
): 'open' | 'go' | 'no-go' | 'deferred' {
  const saying = (what: Vote['said']) =>
    votes.filter((vote) => vote.said === what && quorum.members.includes(vote.keyId)).length
  if (saying('go') >= quorum.threshold) return 'go'
  const isPossible = quorum.members.length - saying('no-go') - saying('defer') >= quorum.threshold
  if (isPossible) return 'open'
  return saying('no-go') >= saying('defer') ? 'no-go' : 'deferred'
}
