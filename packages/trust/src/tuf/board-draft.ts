import { type Refusal, type Result, ok, refuse } from '@bascule/domain/lib/result.ts'
import { canonicalJson, canonicalise } from '#/canonical.ts'
import { expiryFrom } from '#/expiry.ts'
import { type MemberQuorum, buildBoard, buildTargets } from './build.ts'
import { DelegatingSigned } from './documents.ts'
import {
  mayDelegate,
  problemOfDelegations,
  problemOfKeyIds,
  problemOfLevels,
  problemOfThresholds,
  problemOfTwinKeys,
} from './key-rules.ts'
import { clockTolerance, lifetimeMax, usualExpiry } from './lifetimes.ts'
import { directorRole } from './names.ts'
import { quorumsOf } from './quorums.ts'

/**
 * What governance decides about who decides: the roles of a board (or, for the custodians, the boards and the
 * director). Joining, leaving, a lost key, another quorum and a new line are all the same thing: some roles get other
 * quorums, the others stay as they are.
 */
export type BoardDecision =
  | { readonly kind: 'set-roles'; readonly roles: Readonly<Record<string, MemberQuorum>> }
  | { readonly kind: 'remove-role'; readonly role: string }
  | { readonly kind: 'renew' }

/** One role before and after, with keys by id. Undefined is a role that is not there. */
export interface RoleChange {
  readonly role: string
  readonly joins: readonly string[]
  readonly leaves: readonly string[]
  readonly threshold: { readonly before: number | undefined; readonly after: number | undefined }
}

export interface BoardDifference {
  readonly delegator: string
  readonly version: number
  readonly expiresAt: Temporal.Instant
  readonly changes: readonly RoleChange[]
}

export type BoardDraftRule =
  | 'draft-has-a-form'
  | 'draft-is-the-next-version'
  | 'draft-lives-in-bounds'
  | 'draft-keys-are-sound'
  | 'draft-is-the-decision-and-nothing-else'
export type BoardDraftRefusal = Refusal<BoardDraftRule>

/** The next version of a delegating role, `targets` or a board, after a decision. */
export function makeBoardDraft(
  delegator: string,
  before: DelegatingSigned | undefined,
  decision: BoardDecision,
  at: Temporal.Instant,
): DelegatingSigned {
  const quorums = quorumsAfter(before, decision)
  const issue = { version: (before?.version ?? 0) + 1, at, expiresAt: usualExpiry(kindOf(delegator), at) }
  if (delegator !== 'targets') return buildBoard(issue, quorums)
  const { [directorRole]: director, ...boards } = quorums
  return buildTargets(issue, { director: director ?? { publicKeys: [], threshold: 1 }, boards })
}

/**
 * What a governance member's tool asks before it shows a change of the board for signature: the draft must be the last
 * verified version with this one decision applied, and the keys in it must be sound. A role, a key or a threshold more
 * is refused.
 */
export function reviewBoardDraft(
  delegator: string,
  before: DelegatingSigned | undefined,
  draft: unknown,
  decision: BoardDecision,
  at: Temporal.Instant,
): Result<BoardDifference, BoardDraftRefusal> {
  const parsed = canonicalise(draft).ok ? DelegatingSigned.safeParse(draft) : undefined
  if (!parsed?.success) return no('draft-has-a-form', 'The draft is not of the agreed form.', 'Ask for a new draft.')
  const signed = parsed.data
  const had = before?.version ?? 0
  if (signed.version !== had + 1) {
    const fact = `The draft is version ${signed.version}; the version verified here is ${had}.`
    return no('draft-is-the-next-version', fact, 'Refresh and ask for a new draft.')
  }
  const expiresAt = expiryWithin(delegator, signed, at)
  if (!expiresAt) {
    const fact = `The draft lives from ${signed['x-issued']} until ${signed.expires}, out of bounds.`
    return no('draft-lives-in-bounds', fact, 'Ask for a new draft, and check the clock of this machine.')
  }
  const unsound = problemOfKeys(delegator, signed)
  if (unsound !== undefined) return no('draft-keys-are-sound', unsound, 'Do not sign. Name every key once.')
  const foreign =
    decision.kind === 'set-roles' && Object.keys(decision.roles).some((role) => !mayDelegate(delegator, role))
  const isDecision = !foreign && textOf(makeBoardDraft(delegator, before, decision, at)) === textOf(signed)
  if (!isDecision) {
    const fact = `The draft changes more or less than was decided about ${delegator}.`
    return no(
      'draft-is-the-decision-and-nothing-else',
      fact,
      'Do not sign. Tell the other members what this draft holds.',
    )
  }
  return ok({ delegator, version: signed.version, expiresAt, changes: changesBetween(before, signed) })
}

function kindOf(delegator: string): 'targets' | 'board' {
  return delegator === 'targets' ? 'targets' : 'board'
}

function quorumsAfter(before: DelegatingSigned | undefined, decision: BoardDecision): Record<string, MemberQuorum> {
  const quorums = quorumsOf(before)
  switch (decision.kind) {
    case 'renew':
      return quorums
    case 'set-roles':
      return { ...quorums, ...decision.roles }
    case 'remove-role':
      return Object.fromEntries(Object.entries(quorums).filter(([role]) => role !== decision.role))
    default:
      return decision satisfies never
  }
}

function problemOfKeys(delegator: string, { delegations: { keys, roles } }: DelegatingSigned): string | undefined {
  return (
    problemOfKeyIds(keys) ??
    problemOfTwinKeys(keys) ??
    problemOfThresholds(keys, roles) ??
    problemOfDelegations(delegator, roles) ??
    problemOfLevels(roles)
  )
}

function expiryWithin(delegator: string, signed: DelegatingSigned, at: Temporal.Instant): Temporal.Instant | undefined {
  const [expiresAt, issuedAt] = [expiryFrom(signed.expires), expiryFrom(signed['x-issued'])]
  const latest = at.add(lifetimeMax(kindOf(delegator))).add(clockTolerance)
  if (!expiresAt || Temporal.Instant.compare(expiresAt, at) <= 0) return undefined
  if (Temporal.Instant.compare(expiresAt, latest) > 0) return undefined
  return issuedAt && Temporal.Instant.compare(issuedAt, at.add(clockTolerance)) <= 0 ? expiresAt : undefined
}

/** Everything but the dates, which have their own bounds. */
function textOf(signed: DelegatingSigned): string {
  return canonicalJson({ ...signed, expires: '', 'x-issued': '' })
}

function changesBetween(before: DelegatingSigned | undefined, after: DelegatingSigned): RoleChange[] {
  const [old, now] = [before?.delegations.roles ?? [], after.delegations.roles]
  const names = new Set([...old, ...now].map(({ name }) => name))
  return [...names].flatMap((name) => {
    const [was, is] = [old, now].map((roles) => roles.find((role) => role.name === name))
    if (canonicalJson(was ?? null) === canonicalJson(is ?? null)) return []
    const [had, has] = [was?.keyids ?? [], is?.keyids ?? []]
    return [
      {
        role: name,
        joins: has.filter((id) => !had.includes(id)),
        leaves: had.filter((id) => !has.includes(id)),
        threshold: { before: was?.threshold, after: is?.threshold },
      },
    ]
  })
}

function no(rule: BoardDraftRule, fact: string, next: string): Result<never, BoardDraftRefusal> {
  return refuse({ rule, fact, lifter: 'The server that made the draft', next })
}
