import type { Quorum } from '#/tuf/build.ts'
import type { KeyLevel } from '#/tuf/documents.ts'
import { emergencyRoleName, isCode, lineRoleName, stopRoleName } from '#/tuf/names.ts'
import { governanceQuorum } from '#/tuf/quorums.ts'
import { type RepositoryDraft, emptyRepository } from '#/tuf/repository-state.ts'
import { type MemberKey, quorumOfMembers } from './members.ts'
import { type Proposal, propose, refused } from './proposal.ts'

/** Public keys that the signer holds itself. */
export interface OnlinePublicKeys {
  readonly snapshot: string
  readonly timestamp: string
  readonly director: string
}

export interface CeremonyPlan {
  /** Public keys of the people who may replace everybody else. */
  readonly custodians: readonly string[]
  readonly custodianThreshold: number
  readonly board: string
  readonly members: readonly MemberKey[]
  /** How many members let a release out. */
  readonly quorum: number
  readonly emergencyQuorum: number
  /** Who decides emergencies; the members without it. */
  readonly emergencyMembers?: readonly MemberKey[]
  readonly lines: readonly string[]
  readonly online: OnlinePublicKeys
  /** The least way of keeping a key that the board accepts. */
  readonly minLevel?: KeyLevel
}

/** The first ceremony: the custodians, one board, and a first and empty file for each of its roles. */
export function firstCeremony(
  plan: CeremonyPlan,
  at: Temporal.Instant,
  before: RepositoryDraft = emptyRepository,
): Proposal {
  if (before.root) return refused('root-is-new', 'There is a root already.', 'Change it instead of beginning anew.')
  const unfit = [plan.board, ...plan.lines].find((code) => !isCode(code))
  if (unfit !== undefined)
    return refused('code-is-a-code', `${JSON.stringify(unfit)} is no code.`, 'Use a-z, 0-9 and -.')
  const { board, online, custodians, custodianThreshold, minLevel, members } = plan
  const atTop: Quorum = { publicKeys: custodians, threshold: custodianThreshold }
  const of = (count: number, who = members) => quorumOfMembers(who, count, minLevel)
  const roles = {
    ...Object.fromEntries(plan.lines.map((line) => [lineRoleName(board, line), of(plan.quorum)])),
    [emergencyRoleName(board)]: of(plan.emergencyQuorum, plan.emergencyMembers),
    [stopRoleName(board)]: of(1),
  }
  const governance = of(governanceQuorum(members.length, plan.quorum))
  const top = { root: atTop, targets: atTop, snapshot: only(online.snapshot), timestamp: only(online.timestamp) }
  const changes = [
    { role: 'root', decision: { kind: 'set-keys', ...top } },
    {
      role: 'targets',
      decision: { kind: 'set-roles', roles: { director: only(online.director), [board]: governance } },
    },
    { role: board, decision: { kind: 'set-roles', roles } },
  ] as const
  return propose(before, changes, at)
}

/** A key of the signer, which needs no second one. */
export function only(publicKey: string): Quorum {
  return { publicKeys: [publicKey], threshold: 1 }
}
