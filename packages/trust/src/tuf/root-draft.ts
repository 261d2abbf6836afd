import { type Refusal, type Result, ok, refuse } from '@bascule/domain/lib/result.ts'
import { canonicalJson, canonicalise } from '#/canonical.ts'
import { expiryFrom } from '#/expiry.ts'
import { type Quorum, buildRoot } from './build.ts'
import { RootSigned } from './documents.ts'
import { problemOfKeyIds, problemOfThresholds, problemOfTwinKeys } from './key-rules.ts'
import { rootQuorumsOf } from './quorums.ts'
import { clockTolerance, lifetimeMax, usualExpiry } from './lifetimes.ts'

/** What the custodians decide about the anchor: whose keys count for the four roles, or the same once more. */
export type RootDecision =
  | {
      readonly kind: 'set-keys'
      readonly root: Quorum
      readonly targets: Quorum
      readonly snapshot: Quorum
      readonly timestamp: Quorum
    }
  | { readonly kind: 'renew' }

type RootRole = 'root' | 'targets' | 'snapshot' | 'timestamp'

/** One of the four roles before and after, with keys by id. */
export interface RootChange {
  readonly role: RootRole
  readonly joins: readonly string[]
  readonly leaves: readonly string[]
  readonly threshold: { readonly before: number | undefined; readonly after: number }
}

export interface RootDifference {
  readonly version: number
  readonly expiresAt: Temporal.Instant
  readonly changes: readonly RootChange[]
}

export type RootDraftRule =
  | 'draft-has-a-form'
  | 'draft-is-the-next-version'
  | 'draft-lives-in-bounds'
  | 'draft-keys-are-sound'
  | 'draft-is-the-decision-and-nothing-else'
export type RootDraftRefusal = Refusal<RootDraftRule>

const rootRoles = ['root', 'targets', 'snapshot', 'timestamp'] as const

/** The next root after a decision. The quorum of the root before signs it as well as its own. */
export function makeRootDraft(
  before: RootSigned | undefined,
  decision: RootDecision,
  at: Temporal.Instant,
): RootSigned {
  const issue = { version: (before?.version ?? 0) + 1, at, expiresAt: usualExpiry('root', at) }
  const roles = decision.kind === 'renew' ? (before ? rootQuorumsOf(before) : nobodies) : decision
  return buildRoot(issue, {
    root: roles.root,
    targets: roles.targets,
    snapshot: roles.snapshot,
    timestamp: roles.timestamp,
  })
}

/** What a custodian's tool asks before it shows a new root for signature: this one decision and nothing else. */
export function reviewRootDraft(
  before: RootSigned | undefined,
  draft: unknown,
  decision: RootDecision,
  at: Temporal.Instant,
): Result<RootDifference, RootDraftRefusal> {
  const parsed = canonicalise(draft).ok ? RootSigned.safeParse(draft) : undefined
  if (!parsed?.success) return no('draft-has-a-form', 'The root is not of the agreed form.', 'Ask for a new draft.')
  const signed = parsed.data
  const had = before?.version ?? 0
  if (signed.version !== had + 1) {
    const fact = `The root is version ${signed.version}; the version verified here is ${had}.`
    return no('draft-is-the-next-version', fact, 'Refresh and ask for a new draft.')
  }
  const expiresAt = expiryWithin(signed, at)
  if (!expiresAt) {
    const fact = `The root lives from ${signed['x-issued']} until ${signed.expires}, out of bounds.`
    return no('draft-lives-in-bounds', fact, 'Ask for a new draft, and check the clock of this machine.')
  }
  const unsound = problemOfRoot(signed)
  if (unsound !== undefined) return no('draft-keys-are-sound', unsound, 'Do not sign. Name every key once.')
  if (textOf(makeRootDraft(before, decision, at)) !== textOf(signed)) {
    const next = 'Do not sign. Tell the other custodians what this draft holds.'
    return no('draft-is-the-decision-and-nothing-else', 'The root changes more or less than was decided.', next)
  }
  return ok({ version: signed.version, expiresAt, changes: changesBetween(before, signed) })
}

const nobody: Quorum = { publicKeys: [], threshold: 1 }
const nobodies = { root: nobody, targets: nobody, snapshot: nobody, timestamp: nobody }

function problemOfRoot({ keys, roles }: RootSigned): string | undefined {
  const claimed = rootRoles.map((name) => ({ name, ...roles[name] }))
  return problemOfKeyIds(keys) ?? problemOfTwinKeys(keys) ?? problemOfThresholds(keys, claimed)
}

function expiryWithin(signed: RootSigned, at: Temporal.Instant): Temporal.Instant | undefined {
  const [expiresAt, issuedAt] = [expiryFrom(signed.expires), expiryFrom(signed['x-issued'])]
  const latest = at.add(lifetimeMax('root')).add(clockTolerance)
  if (!expiresAt || Temporal.Instant.compare(expiresAt, at) <= 0) return undefined
  if (Temporal.Instant.compare(expiresAt, latest) > 0) return undefined
  return issuedAt && Temporal.Instant.compare(issuedAt, at.add(clockTolerance)) <= 0 ? expiresAt : undefined
}

/** Everything but the dates, which have their own bounds. */
function textOf(signed: RootSigned): string {
  return canonicalJson({ ...signed, expires: '', 'x-issued': '' })
}

function changesBetween(before: RootSigned | undefined, after: RootSigned): RootChange[] {
  return rootRoles.flatMap((role) => {
    const [was, is] = [before?.roles[role], after.roles[role]]
    const [had, has] = [was?.keyids ?? [], is.keyids]
    const joins = has.filter((id) => !had.includes(id))
    const leaves = had.filter((id) => !has.includes(id))
    if (joins.length === 0 && leaves.length === 0 && was?.threshold === is.threshold) return []
    return [{ role, joins, leaves, threshold: { before: was?.threshold, after: is.threshold } }]
  })
}

function no(rule: RootDraftRule, fact: string, next: string): Result<never, RootDraftRefusal> {
  return refuse({ rule, fact, lifter: 'The server that made the draft', next })
}
