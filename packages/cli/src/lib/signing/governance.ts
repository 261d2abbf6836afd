import { ok, refuse, type Refusal, type Result } from '@bascule/domain/lib/result.ts'
import { keyIdOf } from '@bascule/trust/keys.ts'
import { signersOf } from '@bascule/trust/tuf/attach-signature.ts'
import { type BoardDecision, makeBoardDraft } from '@bascule/trust/tuf/board-draft.ts'
import type { MemberQuorum, Quorum } from '@bascule/trust/tuf/build.ts'
import type { DelegatingSigned, KeyLevel, RoleSigned, RootSigned } from '@bascule/trust/tuf/documents.ts'
import { makeDraft, noVersion, type RoleDecision, verifiedVersionOf } from '@bascule/trust/tuf/draft.ts'
import { emergencyRoleName, lineRoleName, roleNameFrom, stopRoleName } from '@bascule/trust/tuf/names.ts'
import {
  delegatedRoles,
  delegationsOf,
  type RepositoryDraft,
  trustedKeysOf,
} from '@bascule/trust/tuf/repository-state.ts'
import { makeRootDraft, type RootDecision } from '@bascule/trust/tuf/root-draft.ts'

/** What is decided about the document of one role. A change of who decides is a list of these, published together. */
export type Change =
  | { readonly role: 'root'; readonly decision: RootDecision }
  | { readonly role: string; readonly decision: BoardDecision | RoleDecision }

export interface UnsignedDocument {
  readonly role: string
  readonly decision: Change['decision']
  readonly signed: RootSigned | RoleSigned
}

/** A member's public key, and how it is kept as far as that is known. */
export interface MemberKey {
  readonly publicKey: string
  readonly level?: KeyLevel
}

export interface OnlineKeys {
  readonly snapshot: string
  readonly timestamp: string
  readonly director: string
}

export interface CeremonyPlan {
  readonly board: string
  readonly lines: readonly string[]
  readonly custodians: readonly string[]
  readonly threshold: number
  readonly members: readonly MemberKey[]
  readonly quorum: number
  readonly emergencyQuorum: number
  readonly minLevel?: KeyLevel
  readonly online: OnlineKeys
}

/** The first ceremony: who the custodians are, one board, and a first and empty file for each of its roles. */
export function ceremonyChanges(plan: CeremonyPlan): Change[] {
  const { board, online, custodians, threshold } = plan
  const atTop: Quorum = { publicKeys: custodians, threshold }
  const members = (count: number): MemberQuorum => quorumOfMembers(plan.members, count, plan.minLevel)
  const roles = {
    ...Object.fromEntries(plan.lines.map((line) => [lineRoleName(board, line), members(plan.quorum)])),
    [emergencyRoleName(board)]: members(plan.emergencyQuorum),
    [stopRoleName(board)]: members(1),
  }
  const online1 = (publicKey: string): Quorum => ({ publicKeys: [publicKey], threshold: 1 })
  return [
    {
      role: 'root',
      decision: {
        kind: 'set-keys',
        root: atTop,
        targets: atTop,
        snapshot: online1(online.snapshot),
        timestamp: online1(online.timestamp),
      },
    },
    {
      role: 'targets',
      decision: { kind: 'set-roles', roles: { director: online1(online.director), [board]: members(plan.quorum) } },
    },
    { role: board, decision: { kind: 'set-roles', roles } },
  ]
}

/** A product line gets its role, with the members and the quorum that the board itself has. */
export function addLineChanges(
  repository: RepositoryDraft,
  board: string,
  line: string,
): Result<Change[], Refusal<string>> {
  const governance = quorumIn(repository, 'targets', board)
  if (!governance) return unknownBoard(board)
  const role = lineRoleName(board, line)
  if (quorumIn(repository, board, role))
    return no('line-is-new', `${role} is there already.`, 'See bascule trust status.')
  return ok([{ role: board, decision: { kind: 'set-roles', roles: { [role]: governance } } }])
}

/**
 * Everything a board decides gets other members: its lines, emergencies, stops and the board itself. `change` answers
 * the new list and quorum of one role, or undefined where it stays.
 */
export function memberChanges(
  repository: RepositoryDraft,
  board: string,
  change: (quorum: MemberQuorum, role: string) => MemberQuorum | undefined,
): Result<Change[], Refusal<string>> {
  const governance = quorumIn(repository, 'targets', board)
  const document = delegatingOf(repository, board)
  if (!governance || !document) return unknownBoard(board)
  const changed = document.delegations.roles.flatMap(({ name }) => {
    const quorum = quorumIn(repository, board, name)
    const next = quorum && change(quorum, name)
    return next ? [[name, next] as const] : []
  })
  const above = change(governance, board)
  const changes: Change[] = [
    ...(above ? [{ role: 'targets', decision: { kind: 'set-roles', roles: { [board]: above } } } as const] : []),
    ...(changed.length > 0
      ? [{ role: board, decision: { kind: 'set-roles', roles: Object.fromEntries(changed) } } as const]
      : []),
  ]
  return changes.length > 0
    ? ok(changes)
    : no('change-changes-something', `${board} would stay as it is.`, 'Say what should change.')
}

export function joinChanges(
  repository: RepositoryDraft,
  board: string,
  member: MemberKey,
): Result<Change[], Refusal<string>> {
  return memberChanges(repository, board, (quorum) => withMember(quorum, member))
}

/** A quorum that would be larger than the list that is left is lowered by the way only when it must be, and that is shown. */
export function leaveChanges(
  repository: RepositoryDraft,
  board: string,
  publicKey: string,
): Result<Change[], Refusal<string>> {
  return memberChanges(repository, board, (quorum) => withoutMember(quorum, publicKey))
}

export function replaceKeyChanges(
  repository: RepositoryDraft,
  board: string,
  lost: string,
  member: MemberKey,
): Result<Change[], Refusal<string>> {
  return memberChanges(repository, board, (quorum) => {
    if (!quorum.publicKeys.includes(lost)) return undefined
    const joined = withMember(quorum, member) ?? quorum
    const left = withoutMember(joined, lost) ?? joined
    return { ...left, threshold: quorum.threshold }
  })
}

/** Another number of signatures for lines and for the board itself; emergencies have a number of their own, and one stops. */
export function quorumChanges(
  repository: RepositoryDraft,
  board: string,
  { quorum, emergencyQuorum }: { readonly quorum?: number; readonly emergencyQuorum?: number },
): Result<Change[], Refusal<string>> {
  return memberChanges(repository, board, (had, role) => {
    const kind = roleNameFrom(role)?.kind
    const threshold = kind === 'emergency' ? emergencyQuorum : kind === 'stop' ? undefined : quorum
    return threshold === undefined || threshold === had.threshold ? undefined : { ...had, threshold }
  })
}

/** New keys for what the server signs by itself, after they were stolen or the signer was made anew. */
export function onlineChanges(repository: RepositoryDraft, online: OnlineKeys): Result<Change[], Refusal<string>> {
  const { root } = repository
  if (!root) return noRoot()
  const had = onlineKeysIn(repository)
  const one = (publicKey: string): Quorum => ({ publicKeys: [publicKey], threshold: 1 })
  const top = { root: rootQuorum(root.signed, 'root'), targets: rootQuorum(root.signed, 'targets') }
  const isRoot = had.snapshot !== online.snapshot || had.timestamp !== online.timestamp
  const changes: Change[] = [
    ...(isRoot
      ? [
          {
            role: 'root',
            decision: { kind: 'set-keys', ...top, snapshot: one(online.snapshot), timestamp: one(online.timestamp) },
          } as const,
        ]
      : []),
    ...(had.director === online.director
      ? []
      : [{ role: 'targets', decision: { kind: 'set-roles', roles: { director: one(online.director) } } } as const]),
  ]
  return changes.length > 0
    ? ok(changes)
    : no('change-changes-something', 'The signer has the keys that the root names.', 'Give the signer new keys first.')
}

/** One custodian for another one, in the root and for the delegations. Both the old and the new quorum sign the root. */
export function custodianChanges(
  repository: RepositoryDraft,
  leaves: string,
  joins: string,
  threshold?: number,
): Result<Change[], Refusal<string>> {
  const { root } = repository
  if (!root) return noRoot()
  const next = (role: 'root' | 'targets'): Quorum => {
    const had = rootQuorum(root.signed, role)
    const publicKeys = had.publicKeys.map((key) => (key === leaves ? joins : key))
    return { publicKeys, threshold: threshold ?? had.threshold }
  }
  if (!rootQuorum(root.signed, 'root').publicKeys.includes(leaves)) {
    return no('custodian-is-there', 'This key is not one of the custodians.', 'See bascule trust status.')
  }
  const [snapshot, timestamp] = (['snapshot', 'timestamp'] as const).map((role) => rootQuorum(root.signed, role))
  if (!snapshot || !timestamp) return noRoot()
  return ok([
    { role: 'root', decision: { kind: 'set-keys', root: next('root'), targets: next('targets'), snapshot, timestamp } },
  ])
}

export function renewChanges(roles: readonly string[]): Change[] {
  return roles.map((role) => ({ role, decision: { kind: 'renew' } }))
}

/**
 * The documents of a change, complete: a role that is new gets its first and empty file, and a file that would lose its
 * quorum by the change is signed again by those who stay. The signer publishes all of them at once or none.
 */
export function documentsOf(
  repository: RepositoryDraft,
  changes: readonly Change[],
  at: Temporal.Instant,
): Result<UnsignedDocument[], Refusal<string>> {
  const documents: UnsignedDocument[] = []
  for (const change of [...changes, ...renewChanges(rolesThatFollow(repository, changes, at))]) {
    const made = documentOf(repository, change, at)
    if (!made.ok) return made
    documents.push(made.value)
  }
  return ok(documents)
}

export function onlineKeysIn(repository: RepositoryDraft): Partial<OnlineKeys> {
  const { root } = repository
  const director = quorumIn(repository, 'targets', 'director')?.publicKeys[0]
  const [snapshot, timestamp] = root
    ? (['snapshot', 'timestamp'] as const).map((role) => rootQuorum(root.signed, role).publicKeys[0])
    : []
  return { ...(snapshot && { snapshot }), ...(timestamp && { timestamp }), ...(director && { director }) }
}

/** The quorum of a role as its delegator has it, with raw keys as the builders take them. */
export function quorumIn(repository: RepositoryDraft, delegator: string, role: string): MemberQuorum | undefined {
  const delegations = delegationsOf(repository.roles[delegator]?.signed)
  const delegation = delegations?.roles.find(({ name }) => name === role)
  if (!delegations || !delegation) return undefined
  const { keyids, threshold, 'x-min-level': minLevel, 'x-levels': byId } = delegation
  const publicKeys = keyids.flatMap((id) => delegations.keys[id]?.keyval.public ?? [])
  const levels = publicKeys.flatMap((key) => {
    const level = byId?.[keyIdOf(key)]
    return level === undefined ? [] : [[key, level] as const]
  })
  return {
    publicKeys,
    threshold,
    ...(minLevel === undefined ? {} : { minLevel }),
    ...(levels.length === 0 ? {} : { levels: Object.fromEntries(levels) }),
  }
}

export function rootQuorum(root: RootSigned, role: keyof RootSigned['roles']): Quorum {
  const { keyids, threshold } = root.roles[role]
  return { publicKeys: keyids.flatMap((id) => root.keys[id]?.keyval.public ?? []), threshold }
}

function rolesThatFollow(repository: RepositoryDraft, changes: readonly Change[], at: Temporal.Instant): string[] {
  const changed = changes.map(({ role }) => role)
  const next = changes.reduce((state, change) => afterChange(repository, state, change, at), repository)
  return delegatedRoles(next).filter((role) => {
    if (changed.includes(role)) return false
    const [trusted, document] = [trustedKeysOf(next, role), next.roles[role]]
    return trusted !== undefined && (!document || signersOf(document, trusted).length < trusted.threshold)
  })
}

function afterChange(
  before: RepositoryDraft,
  state: RepositoryDraft,
  change: Change,
  at: Temporal.Instant,
): RepositoryDraft {
  const made = documentOf(before, change, at)
  if (!made.ok) return state
  const { role, signed } = made.value
  if (role === 'root') return { ...state, root: { signed: signed as RootSigned, signatures: [] } }
  return { ...state, roles: { ...state.roles, [role]: { signed: signed as RoleSigned, signatures: [] } } }
}

function documentOf(
  repository: RepositoryDraft,
  change: Change,
  at: Temporal.Instant,
): Result<UnsignedDocument, Refusal<string>> {
  const { role, decision } = change
  const kind = roleNameFrom(role)?.kind
  if (role === 'root') {
    return ok({ role, decision, signed: makeRootDraft(repository.root?.signed, decision as RootDecision, at) })
  }
  if (kind === 'targets' || kind === 'board') {
    return ok({
      role,
      decision,
      signed: makeBoardDraft(role, delegatingOf(repository, role), decision as BoardDecision, at),
    })
  }
  const had = repository.roles[role]?.signed
  const made = makeDraft(had ? verifiedVersionOf(role, had) : noVersion(role), decision as RoleDecision, at)
  return made.ok ? ok({ role, decision, signed: made.value }) : made
}

function delegatingOf(repository: RepositoryDraft, role: string): DelegatingSigned | undefined {
  const signed = repository.roles[role]?.signed
  return signed && 'delegations' in signed ? signed : undefined
}

function quorumOfMembers(members: readonly MemberKey[], threshold: number, minLevel?: KeyLevel): MemberQuorum {
  const levels = members.flatMap(({ publicKey, level }) => (level === undefined ? [] : [[publicKey, level] as const]))
  return {
    publicKeys: members.map(({ publicKey }) => publicKey),
    threshold,
    ...(minLevel === undefined ? {} : { minLevel }),
    ...(levels.length === 0 ? {} : { levels: Object.fromEntries(levels) }),
  }
}

function withMember(quorum: MemberQuorum, { publicKey, level }: MemberKey): MemberQuorum | undefined {
  if (quorum.publicKeys.includes(publicKey)) return undefined
  const levels = { ...quorum.levels, ...(level === undefined ? {} : { [publicKey]: level }) }
  const publicKeys = [...quorum.publicKeys, publicKey]
  return { ...quorum, publicKeys, ...(Object.keys(levels).length === 0 ? {} : { levels }) }
}

function withoutMember({ levels, ...quorum }: MemberQuorum, publicKey: string): MemberQuorum | undefined {
  if (!quorum.publicKeys.includes(publicKey)) return undefined
  const publicKeys = quorum.publicKeys.filter((key) => key !== publicKey)
  const kept = Object.entries(levels ?? {}).filter(([key]) => key !== publicKey)
  return {
    ...quorum,
    publicKeys,
    threshold: Math.min(quorum.threshold, publicKeys.length),
    ...(kept.length === 0 ? {} : { levels: Object.fromEntries(kept) }),
  }
}

function unknownBoard(board: string): Result<never, Refusal<string>> {
  return no('board-is-there', `There is no board ${board}.`, 'See bascule trust status.')
}

function noRoot(): Result<never, Refusal<string>> {
  return no('root-is-there', 'There is no root yet.', 'Hold the first ceremony: bascule trust init.')
}

function no(rule: string, fact: string, next: string): Result<never, Refusal<string>> {
  return refuse({ rule, fact, lifter: 'You', next })
}
