import { type Refusal, type Result, ok } from '@bascule/domain/lib/result.ts'
import { keyIdOf } from '#/key-id.ts'
import type { MemberQuorum } from '#/tuf/build.ts'
import type { KeyLevel } from '#/tuf/documents.ts'
import { emergencyRoleName, isCode, lineRoleName, roleNameFrom } from '#/tuf/names.ts'
import { governanceQuorum, quorumsOf } from '#/tuf/quorums.ts'
import type { RepositoryDraft } from '#/tuf/repository-state.ts'
import { type MemberKey, hasMember, withMember, withReplaced, withoutMember } from './members.ts'
import { type Change, type Proposal, delegatingOf, propose, refused } from './proposal.ts'

/** The quorums of a board: the one that changes the board itself, and those of its roles by name. */
interface Board {
  readonly name: string
  readonly governance: MemberQuorum
  readonly roles: Readonly<Record<string, MemberQuorum>>
}

/** A product line gets its role, with the members of the board and as many signatures as its other lines need. */
export function addLine(
  repository: RepositoryDraft,
  wish: { readonly board: string; readonly line: string; readonly quorum?: number },
  at: Temporal.Instant,
): Proposal {
  const found = boardIn(repository, wish.board)
  if (!found.ok) return found
  const role = lineRoleName(wish.board, wish.line)
  if (!isCode(wish.line))
    return refused('code-is-a-code', `${JSON.stringify(wish.line)} is no code.`, 'Use a-z, 0-9 and -.')
  if (Object.hasOwn(found.value.roles, role))
    return refused('line-is-new', `${role} is there already.`, 'Name another line.')
  const { governance } = found.value
  const usual = goQuorumOf(found.value) ?? Math.floor(governance.publicKeys.length / 2) + 1
  const quorum = { ...governance, threshold: wish.quorum ?? usual }
  return propose(repository, changesTo(found.value, { ...found.value.roles, [role]: quorum }), at)
}

/** Somebody may decide from now on: about every line, about stops and about the board itself. */
export function join(
  repository: RepositoryDraft,
  wish: { readonly board: string; readonly member: MemberKey; readonly isInEmergency?: boolean },
  at: Temporal.Instant,
): Proposal {
  const found = boardIn(repository, wish.board)
  if (!found.ok) return found
  const { governance, roles } = found.value
  const keyId = keyIdOf(wish.member.publicKey)
  if (hasMember(governance, keyId))
    return refused('member-is-new', 'This key is a member already.', 'Name another key.')
  const emergency = emergencyRoleName(wish.board)
  const isInEmergency = wish.isInEmergency ?? isSameMembers(roles[emergency], governance)
  const next = mapped(roles, (quorum, role) => {
    return hasMember(quorum, keyId) || (role === emergency && !isInEmergency) ? quorum : withMember(quorum, wish.member)
  })
  return propose(repository, changesTo(found.value, next, withMember(governance, wish.member)), at)
}

/**
 * Somebody decides no more. Files that would lose their quorum are signed again by those who stay; where fewer are left
 * than were needed, fewer are needed from now on, and everybody who signs sees that.
 */
export function leave(
  repository: RepositoryDraft,
  wish: { readonly board: string; readonly keyId: string },
  at: Temporal.Instant,
): Proposal {
  const found = memberIn(repository, wish.board, wish.keyId)
  if (!found.ok) return found
  const { governance, roles } = found.value
  const lonely = Object.entries({ ...roles, [wish.board]: governance }).find(([, { publicKeys }]) => {
    return publicKeys.length === 1 && publicKeys.every((publicKey) => keyIdOf(publicKey) === wish.keyId)
  })
  if (lonely) {
    const next = 'Let somebody join first, or replace the key.'
    return refused('somebody-stays', `${lonely[0]} would have nobody.`, next)
  }
  const next = mapped(roles, (quorum) => withoutMember(quorum, wish.keyId))
  return propose(repository, changesTo(found.value, next, withoutMember(governance, wish.keyId)), at)
}

/** A new key in the place of a lost one, in every role of the board. The lost key signs nothing of it. */
export function replaceLostKey(
  repository: RepositoryDraft,
  wish: { readonly board: string; readonly lost: string; readonly member: MemberKey },
  at: Temporal.Instant,
): Proposal {
  const found = memberIn(repository, wish.board, wish.lost)
  if (!found.ok) return found
  const { governance, roles } = found.value
  const newId = keyIdOf(wish.member.publicKey)
  if (Object.values({ ...roles, governance }).some((quorum) => hasMember(quorum, newId))) {
    return refused('member-is-new', 'The new key is a member already.', 'Make a new key, or let the lost one leave.')
  }
  const replaced = (quorum: MemberQuorum) =>
    hasMember(quorum, wish.lost) ? withReplaced(quorum, wish.lost, wish.member) : quorum
  return propose(repository, changesTo(found.value, mapped(roles, replaced), replaced(governance)), at)
}

/** Another number of signatures, or another least way of keeping keys. What is not named stays. */
export function changeQuorum(
  repository: RepositoryDraft,
  wish: {
    readonly board: string
    readonly quorum?: number
    readonly emergencyQuorum?: number
    readonly minLevel?: KeyLevel
  },
  at: Temporal.Instant,
): Proposal {
  const found = boardIn(repository, wish.board)
  if (!found.ok) return found
  const level = wish.minLevel === undefined ? {} : { minLevel: wish.minLevel }
  const next = mapped(found.value.roles, (quorum, role) => {
    const kind = roleNameFrom(role)?.kind
    const wanted = kind === 'line' ? wish.quorum : kind === 'emergency' ? wish.emergencyQuorum : undefined
    return { ...quorum, threshold: wanted ?? quorum.threshold, ...level }
  })
  return propose(repository, changesTo(found.value, next, { ...found.value.governance, ...level }), at)
}

/** How many signatures let a release of this board out: the most that one of its lines asks for. */
function goQuorumOf({ roles }: Pick<Board, 'roles'>): number | undefined {
  const lines = Object.entries(roles).filter(([role]) => roleNameFrom(role)?.kind === 'line')
  return lines.length === 0 ? undefined : Math.max(...lines.map(([, { threshold }]) => threshold))
}

function boardIn(repository: RepositoryDraft, board: string): Result<Board, Refusal> {
  const governance = quorumsOf(delegatingOf(repository, 'targets'))[board]
  const document = delegatingOf(repository, board)
  if (!governance || !document)
    return refused('board-is-there', `There is no board ${board}.`, 'Name a board that is there.')
  return ok({ name: board, governance, roles: quorumsOf(document) })
}

function memberIn(repository: RepositoryDraft, board: string, keyId: string): Result<Board, Refusal> {
  const found = boardIn(repository, board)
  if (!found.ok) return found
  const { governance, roles } = found.value
  const isThere = Object.values({ ...roles, governance }).some((quorum) => hasMember(quorum, keyId))
  return isThere
    ? found
    : refused('member-is-there', `The key ${keyId.slice(0, 12)} is no member of ${board}.`, 'Name a member.')
}

/** Only what really changes is changed: the custodians are asked only when who changes the board is another than before. */
function changesTo(board: Board, roles: Board['roles'], members: MemberQuorum = board.governance): Change[] {
  const threshold = governanceQuorum(members.publicKeys.length, goQuorumOf({ roles }) ?? 0)
  const isUntouched = members === board.governance && goQuorumOf({ roles }) === goQuorumOf(board)
  const governance = isUntouched ? members : { ...members, threshold }
  const changed = Object.entries(roles).filter(([role, quorum]) => !isSame(board.roles[role], quorum))
  return [
    ...(isSame(board.governance, governance)
      ? []
      : [{ role: 'targets', decision: { kind: 'set-roles', roles: { [board.name]: governance } } } as const]),
    ...(changed.length === 0
      ? []
      : [{ role: board.name, decision: { kind: 'set-roles', roles: Object.fromEntries(changed) } } as const]),
  ]
}

function isSame(one: MemberQuorum | undefined, other: MemberQuorum): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

function isSameMembers(one: MemberQuorum | undefined, other: MemberQuorum): boolean {
  return (
    one?.publicKeys.length === other.publicKeys.length && one.publicKeys.every((key) => other.publicKeys.includes(key))
  )
}

function mapped(
  roles: Board['roles'],
  change: (quorum: MemberQuorum, role: string) => MemberQuorum,
): Record<string, MemberQuorum> {
  return Object.fromEntries(Object.entries(roles).map(([role, quorum]) => [role, change(quorum, role)]))
}
