import { type Refusal, type Result, ok, refuse, unreachable } from '@bascule/domain/lib/result.ts'
import { canonicalJson, canonicalise } from '#/canonical.ts'
import { expiryFrom, expiryText } from '#/expiry.ts'
import {
  type ReleaseCustom,
  type ReleaseTarget,
  ReleasesSigned,
  type RoleSigned,
  type StopTarget,
  StopsSigned,
  specVersion,
} from './documents.ts'
import { clockTolerance, lifetimeMax, usualExpiry } from './lifetimes.ts'
import { roleNameFrom, roleNameOf, targetPathFrom, targetPathText } from './names.ts'

/** What people decided about one role file. Exactly one of these stands behind each next version. */
export type RoleDecision =
  /**
   * The release may go out. With the same signature `retires` leave the file, and devices may go back to `returns`,
   * older live releases of the line, from the new one: the way back is signed before anybody needs it.
   */
  | {
      readonly kind: 'go'
      readonly path: string
      readonly target: ReleaseTarget
      readonly retires: readonly string[]
      readonly returns: readonly string[]
    }
  /** A hold point was passed: further phases may begin. Phases that were signed stay as they are. */
  | { readonly kind: 'open-phases'; readonly path: string; readonly phases: ReleaseCustom['phases'] }
  | { readonly kind: 'withdraw'; readonly path: string }
  /** Devices may go back to the release of this path from the one named. */
  | { readonly kind: 'back-out-from'; readonly path: string; readonly from: string }
  | { readonly kind: 'renew' }
  /** The small quorum lets a release out on the emergency path. */
  | { readonly kind: 'emergency'; readonly path: string; readonly target: ReleaseTarget }
  /** The full board takes an emergency release over: the same manifest, on the normal path. */
  | { readonly kind: 'ratify'; readonly emergencyPath: string; readonly target: ReleaseTarget }
  | { readonly kind: 'stop'; readonly path: string; readonly target: StopTarget }
  /** A stop that was settled leaves the list. */
  | { readonly kind: 'lift-stop'; readonly path: string }

/** The last version that whoever signs has verified. Version 0 is a role that has no file yet. */
export interface VerifiedVersion {
  readonly role: string
  readonly version: number
  readonly targets: Readonly<Record<string, ReleaseTarget | StopTarget>>
  /** When it ends; with it an emergency ends for good. */
  readonly expires?: string
}

/** What a signature would change, to be shown before it is made. */
export interface RoleDifference {
  readonly role: string
  readonly version: number
  readonly expiresAt: Temporal.Instant
  readonly decision: RoleDecision
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly changed: readonly { readonly path: string; readonly before: unknown; readonly after: unknown }[]
  /** Entries that the signature re-affirms as they are. */
  readonly kept: readonly string[]
}

export type DraftRule =
  | 'decision-fits-the-role'
  | 'decision-fits-what-is-there'
  | 'draft-has-a-form'
  | 'draft-is-the-next-version'
  | 'draft-lives-in-bounds'
  | 'draft-is-the-decision-and-nothing-else'
export type DraftRefusal = Refusal<DraftRule>

/** The first version of a role, for `before`. */
export function noVersion(role: string): VerifiedVersion {
  return { role, version: 0, targets: {} }
}

/** The last verified version, from its document. */
export function verifiedVersionOf(role: string, signed: RoleSigned): VerifiedVersion {
  return { role, version: signed.version, targets: signed.targets, expires: signed.expires }
}

/** The next version of a role file after a decision. */
export function makeDraft(
  before: VerifiedVersion,
  decision: RoleDecision,
  at: Temporal.Instant,
  expiresAt?: Temporal.Instant,
): Result<ReleasesSigned | StopsSigned, DraftRefusal> {
  const kind = roleNameFrom(before.role)?.kind ?? 'line'
  const targets = applyDecision(carriedOn(before, at), decision)
  if (!targets.ok) return targets
  const usual = endOfEmergency(before, decision, targets.value) ?? usualExpiry(kind, at)
  return ok({
    _type: 'targets',
    spec_version: specVersion,
    version: before.version + 1,
    expires: expiryText(expiresAt ?? usual),
    'x-issued': expiryText(at),
    targets: targets.value,
  } as ReleasesSigned | StopsSigned)
}

/**
 * What a member's tool asks before it shows a draft for signature. It knows the version it verified by itself and the
 * decision that the member wants to take; the draft comes from a server that may lie. Only that one decision, applied
 * to that version, may be in it: any other entry, field, role or byte is refused, so nobody signs what was not shown.
 */
export function reviewDraft(
  before: VerifiedVersion,
  draft: unknown,
  decision: RoleDecision,
  at: Temporal.Instant,
): Result<RoleDifference, DraftRefusal> {
  const parsed = parseDraft(before.role, draft)
  if (!parsed.ok) return parsed
  const signed = parsed.value
  if (signed.version !== before.version + 1) {
    const fact = `The draft is version ${signed.version}; the version verified here is ${before.version}.`
    return no('draft-is-the-next-version', fact, 'The server', 'Refresh and ask for a new draft.')
  }
  const expiresAt = expiryFrom(signed.expires)
  const lifetime = problemOfLife(before.role, signed, at)
  if (lifetime !== undefined || !expiresAt) return lifetime ?? noForm('its expiry is no instant')
  const end = endOfEmergency(before, decision, signed.targets)
  if (end && Temporal.Instant.compare(expiresAt, end) > 0) {
    const fact = `The emergency would live until ${signed.expires}, longer than until ${end.toString()}.`
    return no('draft-lives-in-bounds', fact, 'The board', 'Ratify what an emergency let out, or let it lapse.')
  }
  const expected = applyDecision(carriedOn(before, at), decision)
  if (!expected.ok) return expected
  if (canonicalJson(expected.value) !== canonicalJson(signed.targets)) {
    return no(
      'draft-is-the-decision-and-nothing-else',
      surprise(expected.value, signed.targets),
      'Nobody',
      'Do not sign. Tell the other members what this draft holds.',
    )
  }
  return ok({ ...differenceOf(before, signed.targets), version: signed.version, expiresAt, decision })
}

type Targets = VerifiedVersion['targets']

function parseDraft(role: string, draft: unknown): Result<ReleasesSigned | StopsSigned, DraftRefusal> {
  const canonical = canonicalise(draft)
  if (!canonical.ok) return noForm(canonical.error)
  const schema = roleNameFrom(role)?.kind === 'stop' ? StopsSigned : ReleasesSigned
  const parsed = schema.safeParse(draft)
  if (parsed.success) return ok(parsed.data)
  const issue = parsed.error.issues[0]
  return noForm(`${issue?.path.map(String).join('.') ?? ''} ${issue?.message ?? ''}`)
}

function problemOfLife(
  role: string,
  { expires, 'x-issued': issued }: { readonly expires: string; readonly 'x-issued': string },
  at: Temporal.Instant,
): Result<never, DraftRefusal> | undefined {
  const kind = roleNameFrom(role)?.kind ?? 'line'
  const latest = at.add(lifetimeMax(kind)).add(clockTolerance)
  const [expiresAt, issuedAt] = [expiryFrom(expires), expiryFrom(issued)]
  const isBounded =
    expiresAt && Temporal.Instant.compare(expiresAt, at) > 0 && Temporal.Instant.compare(expiresAt, latest) <= 0
  const isPast = issuedAt && Temporal.Instant.compare(issuedAt, at.add(clockTolerance)) <= 0
  if (isBounded && isPast) return undefined
  const fact = `The draft lives from ${issued} until ${expires}; a ${kind} file may last until ${latest.toString()}.`
  return no('draft-lives-in-bounds', fact, 'The server', 'Ask for a new draft, and check the clock of this machine.')
}

/** What an emergency let out lapses with its file, and no later decision brings it back by the way. */
function carriedOn(before: VerifiedVersion, at: Temporal.Instant): VerifiedVersion {
  const end = roleNameFrom(before.role)?.kind === 'emergency' ? expiryFrom(before.expires) : undefined
  return end && Temporal.Instant.compare(end, at) <= 0 ? { ...before, targets: {} } : before
}

/** Only another emergency gives the file a new life; signing it again, because a member left, does not. */
function endOfEmergency(
  before: VerifiedVersion,
  decision: RoleDecision,
  targets: Targets,
): Temporal.Instant | undefined {
  const isCarriedOn = roleNameFrom(before.role)?.kind === 'emergency' && Object.keys(targets).length > 0
  return isCarriedOn && decision.kind !== 'emergency' ? expiryFrom(before.expires) : undefined
}

/** The entries after a decision. The one place where a decision gets its meaning. */
function applyDecision(before: VerifiedVersion, decision: RoleDecision): Result<Targets, DraftRefusal> {
  const misfit = misfitOf(before.role, decision)
  if (misfit !== undefined)
    return no('decision-fits-the-role', misfit, 'The board', 'Take the decision on its own role.')
  switch (decision.kind) {
    case 'renew':
      return ok(before.targets)
    case 'go':
      return letOut(before, decision)
    case 'emergency':
      return addRelease(before, decision.path, decision.target, [])
    case 'ratify':
      return addRelease(before, normalPathOf(decision.emergencyPath), decision.target, [])
    case 'stop':
      return addEntry(before, decision.path, decision.target)
    case 'withdraw':
    case 'lift-stop':
      return removeEntries(before, [decision.path])
    case 'open-phases':
      return changeRelease(before, decision.path, (custom) => openPhases(custom, decision.phases))
    case 'back-out-from':
      return changeRelease(before, decision.path, (custom) => backOutFrom(custom, decision.from))
    default:
      return unreachable(decision)
  }
}

const kindsOfRole: Readonly<Record<string, readonly RoleDecision['kind'][]>> = {
  line: ['go', 'open-phases', 'withdraw', 'back-out-from', 'renew', 'ratify'],
  emergency: ['emergency', 'withdraw', 'back-out-from', 'renew'],
  stop: ['stop', 'lift-stop', 'renew'],
}

function misfitOf(role: string, decision: RoleDecision): string | undefined {
  const kind = roleNameFrom(role)?.kind ?? 'unknown'
  if (!kindsOfRole[kind]?.includes(decision.kind)) return `A ${decision.kind} is not decided in ${role}.`
  if (decision.kind === 'renew') return undefined
  const path = decision.kind === 'ratify' ? normalPathOf(decision.emergencyPath) : decision.path
  const at = targetPathFrom(path)
  if (!at || roleNameOf(at) !== role) return `${path} is not a path of ${role}.`
  const custom = 'target' in decision ? decision.target.custom : undefined
  const isSame = !custom || (custom.release === at.release && custom.productLine === at.line)
  return isSame ? undefined : `${path} would speak of release ${custom.release} of ${custom.productLine}.`
}

function letOut(
  before: VerifiedVersion,
  decision: Extract<RoleDecision, { kind: 'go' }>,
): Result<Targets, DraftRefusal> {
  const { path, target, retires, returns } = decision
  const both = returns.find((back) => retires.includes(back))
  if (both !== undefined) return misplaced(`${both} would leave the file, so nothing could go back to it.`)
  const from = target.custom.release
  let targets: Targets = before.targets
  for (const back of returns) {
    const signed = changeRelease({ ...before, targets }, back, (custom) => backOutFrom(custom, from))
    if (!signed.ok) return signed
    targets = signed.value
  }
  return addRelease({ ...before, targets }, path, target, retires)
}

/** Undefined where it is signed already. */
function backOutFrom(custom: ReleaseCustom, from: string): ReleaseCustom | undefined {
  return custom.backoutFrom.includes(from) ? undefined : { ...custom, backoutFrom: [...custom.backoutFrom, from] }
}

function addRelease(
  before: VerifiedVersion,
  path: string,
  target: ReleaseTarget,
  retires: readonly string[],
): Result<Targets, DraftRefusal> {
  const counters = Object.values(before.targets).flatMap(({ custom }) => ('counter' in custom ? [custom.counter] : []))
  const highest = Math.max(0, ...counters)
  const isEmergency = roleNameFrom(before.role)?.kind === 'emergency'
  // The emergency role serves several lines, whose counters have nothing to do with each other.
  if (!isEmergency && target.custom.counter <= highest) {
    return misplaced(`The release has counter ${target.custom.counter}; ${highest} stands in ${before.role} already.`)
  }
  const rest = removeEntries(before, retires)
  return rest.ok ? addEntry({ ...before, targets: rest.value }, path, target) : rest
}

function addEntry(
  before: VerifiedVersion,
  path: string,
  target: ReleaseTarget | StopTarget,
): Result<Targets, DraftRefusal> {
  if (Object.hasOwn(before.targets, path)) return misplaced(`${path} stands in ${before.role} already.`)
  return ok({ ...before.targets, [path]: target })
}

function removeEntries(before: VerifiedVersion, paths: readonly string[]): Result<Targets, DraftRefusal> {
  const missing = paths.find((path) => !Object.hasOwn(before.targets, path))
  if (missing !== undefined) return misplaced(`${missing} does not stand in ${before.role}.`)
  return ok(Object.fromEntries(Object.entries(before.targets).filter(([path]) => !paths.includes(path))))
}

function changeRelease(
  before: VerifiedVersion,
  path: string,
  change: (custom: ReleaseCustom) => ReleaseCustom | undefined,
): Result<Targets, DraftRefusal> {
  const target = Object.hasOwn(before.targets, path) ? before.targets[path] : undefined
  if (target?.custom.kind !== 'release') return misplaced(`${path} does not stand in ${before.role}.`)
  const custom = change(target.custom)
  if (!custom) return misplaced(`The decision changes nothing that may change about ${path}.`)
  return ok({ ...before.targets, [path]: { ...target, custom } })
}

/** Hold points add phases behind those that were signed; none that was signed is changed by the way. */
function openPhases(custom: ReleaseCustom, phases: ReleaseCustom['phases']): ReleaseCustom | undefined {
  const isLonger = phases.length > custom.phases.length
  const isKept = custom.phases.every((phase, index) => canonicalJson(phase) === canonicalJson(phases[index] ?? null))
  return isLonger && isKept ? { ...custom, phases } : undefined
}

function normalPathOf(emergencyPath: string): string {
  const at = targetPathFrom(emergencyPath)
  return at?.kind === 'emergency' ? targetPathText({ ...at, kind: 'normal' }) : ''
}

function differenceOf(before: VerifiedVersion, after: Targets) {
  const paths = Object.keys(after)
  const isSame = (path: string) => canonicalJson(before.targets[path] ?? null) === canonicalJson(after[path] ?? null)
  const both = paths.filter((path) => Object.hasOwn(before.targets, path))
  return {
    role: before.role,
    added: paths.filter((path) => !Object.hasOwn(before.targets, path)),
    removed: Object.keys(before.targets).filter((path) => !Object.hasOwn(after, path)),
    changed: both
      .filter((path) => !isSame(path))
      .map((path) => ({ path, before: before.targets[path]?.custom, after: after[path]?.custom })),
    kept: both.filter(isSame),
  }
}

function surprise(expected: Targets, found: Targets): string {
  const paths = [...new Set([...Object.keys(expected), ...Object.keys(found)])]
  const textOf = (targets: Targets, path: string) => canonicalJson(Object.hasOwn(targets, path) ? targets[path] : null)
  const others = paths.filter((path) => textOf(expected, path) !== textOf(found, path))
  return `The draft holds more or less than was decided: ${others.slice(0, 5).join(', ')}.`
}

function misplaced(fact: string): Result<never, DraftRefusal> {
  return no(
    'decision-fits-what-is-there',
    fact,
    'The board',
    'Refresh, look at what stands there now, and decide again.',
  )
}

function noForm(what: string): Result<never, DraftRefusal> {
  return no('draft-has-a-form', `The draft is not of the agreed form: ${what}.`, 'The server', 'Ask for a new draft.')
}

function no(rule: DraftRule, fact: string, lifter: string, next: string): Result<never, DraftRefusal> {
  return refuse({ rule, fact, lifter, next })
}
