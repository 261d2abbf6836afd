import type { Refusal } from '@bascule/domain/lib/result.ts'
import type { z } from 'zod'
import { canonicalJson } from '#/canonical.ts'
import type { Envelope } from '#/envelope.ts'
import { expiryFrom } from '#/expiry.ts'
import { signersOf } from './attach-signature.ts'
import {
  DelegatingSigned,
  ReleasesSigned,
  type RoleSigned,
  RootSigned,
  StopsSigned,
  roleTargetsMax,
  snapshotRolesMax,
} from './documents.ts'
import {
  problemOfDelegations,
  problemOfKeyIds,
  problemOfLevels,
  problemOfThresholds,
  problemOfTwinKeys,
} from './key-rules.ts'
import { clockTolerance, lifetimeMax } from './lifetimes.ts'
import { type RoleKind, type RoleName, roleNameFrom, roleNameOf, targetPathFrom } from './names.ts'
import {
  type RepositoryDraft,
  delegatedRoles,
  delegationsOf,
  releasesOf,
  rootKeysOf,
  trustedKeysOf,
} from './repository-state.ts'

/** One document that somebody wants published, what it replaces, and the repository as it would be afterwards. */
export interface DocumentCase {
  readonly role: string
  readonly name: RoleName
  readonly document: Envelope<RoleSigned | RootSigned>
  readonly before: Envelope<RoleSigned | RootSigned> | undefined
  readonly repository: RepositoryDraft
  readonly next: RepositoryDraft
  readonly at: Temporal.Instant
}

export type FormCase = Pick<DocumentCase, 'role' | 'name' | 'document'>
export type PublishRefusal = Refusal

/** Asked first of every document: the other checks may believe its form. */
export const formChecks = [
  { name: 'role-has-a-form', check: form },
  { name: 'targets-in-bounds', check: targetsInBounds },
] as const satisfies readonly { name: string; check: (document: FormCase) => PublishRefusal | undefined }[]

/** What the signer asks about each document before it publishes, in this order. Each is one function and one rule. */
export const documentChecks = [
  { name: 'version-is-the-next', check: versionIsNext },
  { name: 'role-is-delegated', check: isDelegated },
  { name: 'quorum-signed', check: quorumSigned },
  { name: 'lifetime-in-bounds', check: lifetimeInBounds },
  { name: 'paths-belong-to-the-role', check: pathsBelong },
  { name: 'keys-are-distinct', check: keysAreDistinct },
  { name: 'delegations-stay-below', check: delegationsStayBelow },
  { name: 'bytes-never-replaced', check: bytesNeverReplaced },
  { name: 'counter-rises', check: counterRises },
] as const satisfies readonly { name: string; check: (document: DocumentCase) => PublishRefusal | undefined }[]

/** What the signer asks about the repository as it would be afterwards. */
export const repositoryChecks = [
  { name: 'every-delegation-has-a-file', check: isComplete },
  { name: 'every-file-keeps-its-quorum', check: keepsQuorums },
  { name: 'snapshot-in-bounds', check: snapshotInBounds },
] as const satisfies readonly { name: string; check: (next: RepositoryDraft) => PublishRefusal | undefined }[]

const formOf: Partial<Record<RoleKind, z.ZodType>> = {
  root: RootSigned,
  targets: DelegatingSigned,
  board: DelegatingSigned,
  line: ReleasesSigned,
  emergency: ReleasesSigned,
  stop: StopsSigned,
}

function form({ role, name, document }: FormCase): PublishRefusal | undefined {
  const parsed = formOf[name.kind]?.safeParse(document.signed)
  if (parsed?.success) return undefined
  const issue = parsed?.error.issues[0]
  const what = issue ? `${issue.path.map(String).join('.')} ${issue.message}` : 'nobody signs such a file by hand'
  return no(
    'role-has-a-form',
    `The file of ${role} is not of the agreed form: ${what}.`,
    'Whoever made the draft',
    'Make the draft again.',
  )
}

function versionIsNext({ role, document, before }: DocumentCase): PublishRefusal | undefined {
  const [had, has] = [before?.signed.version ?? 0, document.signed.version]
  if (has === had + 1) return undefined
  const isChange =
    before !== undefined && has === had && canonicalJson(before.signed) !== canonicalJson(document.signed)
  const fact = isChange
    ? `Version ${has} of ${role} is published with another content.`
    : `Version ${has} of ${role} was offered; the next one is ${had + 1}.`
  return no(
    'version-is-the-next',
    fact,
    'Nobody: relays keep every version for ever',
    `Make the draft again as version ${had + 1}.`,
  )
}

function isDelegated({ role, next }: DocumentCase): PublishRefusal | undefined {
  if (trustedKeysOf(next, role)) return undefined
  const fact = `No document delegates the role ${role}.`
  return no('role-is-delegated', fact, 'The governance quorum of the board', 'Add the role to the board first.')
}

/** A new root needs the quorum of the old one as well; else whoever holds new keys could make themselves the root. */
function quorumSigned({ role, document, repository, next }: DocumentCase): PublishRefusal | undefined {
  const now = trustedKeysOf(next, role)
  const then = role === 'root' && repository.root ? rootKeysOf(repository.root.signed, 'root') : undefined
  for (const trusted of [then, now]) {
    if (!trusted) continue
    const have = signersOf(document, trusted).length
    if (have >= trusted.threshold) continue
    const fact = `${role} is signed by ${have} of ${trusted.threshold} keys.`
    return no('quorum-signed', fact, 'The members of the role', `Collect ${trusted.threshold - have} more.`)
  }
  return undefined
}

function lifetimeInBounds({ role, name, document, at }: DocumentCase): PublishRefusal | undefined {
  const expiresAt = expiryFrom(document.signed.expires)
  const issuedAt = expiryFrom(document.signed['x-issued'])
  const latest = at.add(lifetimeMax(name.kind)).add(clockTolerance)
  const isBounded =
    expiresAt !== undefined &&
    Temporal.Instant.compare(expiresAt, at) > 0 &&
    Temporal.Instant.compare(expiresAt, latest) <= 0
  const isPast = issuedAt !== undefined && Temporal.Instant.compare(issuedAt, at.add(clockTolerance)) <= 0
  if (isBounded && isPast) return undefined
  const fact = `${role} lives from ${document.signed['x-issued']} until ${document.signed.expires}; it may last until ${latest.toString()}.`
  return no('lifetime-in-bounds', fact, 'Whoever made the draft', 'Make the draft again with an expiry within bounds.')
}

function targetsInBounds({ role, document }: FormCase): PublishRefusal | undefined {
  const count = 'targets' in document.signed ? Object.keys(document.signed.targets).length : 0
  if (count <= roleTargetsMax) return undefined
  const fact = `${role} lists ${count} releases; devices read ${roleTargetsMax} at most.`
  return no('targets-in-bounds', fact, 'The board', 'Withdraw releases that are no longer in use.')
}

function pathsBelong({ role, document }: DocumentCase): PublishRefusal | undefined {
  const targets = 'targets' in document.signed ? (document.signed.targets as ReleasesSigned['targets']) : {}
  for (const [path, { custom }] of Object.entries(targets)) {
    const at = targetPathFrom(path)
    const isHome = at !== undefined && roleNameOf(at) === role
    if (isHome && at.release === custom.release && at.line === custom.productLine) continue
    const fact = `${path} says release ${custom.release} of ${custom.productLine} and stands in ${role}.`
    return no(
      'paths-belong-to-the-role',
      fact,
      'Whoever made the draft',
      'List the release under its own name and role.',
    )
  }
  return undefined
}

function keysAreDistinct({ role, document }: DocumentCase): PublishRefusal | undefined {
  const { keys, roles } = keysAndRolesOf(document.signed)
  const problem = problemOfKeyIds(keys) ?? problemOfTwinKeys(keys) ?? problemOfThresholds(keys, roles)
  return problem === undefined
    ? undefined
    : no(
        'keys-are-distinct',
        `${role}: ${problem}`,
        'Whoever made the draft',
        'List every key once, under its own hash.',
      )
}

function delegationsStayBelow({ role, document }: DocumentCase): PublishRefusal | undefined {
  const delegations = document.signed._type === 'targets' ? delegationsOf(document.signed) : undefined
  if (!delegations) return undefined
  const problem = problemOfDelegations(role, delegations.roles) ?? problemOfLevels(delegations.roles)
  return problem === undefined
    ? undefined
    : no('delegations-stay-below', problem, 'The governance quorum of the board', 'Make the draft again without it.')
}

/** What stands behind a path never changes: else a device that fetched the old bytes would call them forged. */
function bytesNeverReplaced({ role, document, before }: DocumentCase): PublishRefusal | undefined {
  if (!before || !('targets' in document.signed) || !('targets' in before.signed)) return undefined
  const old = before.signed.targets as ReleasesSigned['targets']
  for (const [path, { hashes }] of Object.entries(document.signed.targets as ReleasesSigned['targets'])) {
    const had = Object.hasOwn(old, path) ? old[path] : undefined
    if (!had || had.hashes.sha256 === hashes.sha256) continue
    const fact = `${path} of ${role} had other bytes in version ${before.signed.version}.`
    return no('bytes-never-replaced', fact, 'Nobody', 'Make a new release; a release never changes.')
  }
  return undefined
}

/** A counter belongs to one manifest for ever. The same manifest may stand in two roles: that is ratifying. */
function counterRises({ role, document, repository }: DocumentCase): PublishRefusal | undefined {
  if (document.signed._type !== 'targets') return undefined
  const known = releasesOf(repository.roles)
  const taken = new Map<string, string>()
  for (const { at, path, target } of releasesOf({ [role]: { ...document, signed: document.signed } })) {
    const line = `${at.board}/${at.line}`
    const isKnown = known.some(
      (one) =>
        one.target.hashes.sha256 === target.hashes.sha256 &&
        `${one.at.board}/${one.at.line}` === line &&
        one.target.custom.counter === target.custom.counter,
    )
    const isTaken = taken.has(`${line}/${target.custom.counter}`)
    taken.set(`${line}/${target.custom.counter}`, path)
    const highest = repository.counters[line] ?? 0
    if (!isTaken && (isKnown || target.custom.counter > highest)) continue
    const fact = `${path} has counter ${target.custom.counter}; the highest of ${line} is ${highest}.`
    return no('counter-rises', fact, 'Nobody: a counter is used once', `Give the release the counter ${highest + 1}.`)
  }
  return undefined
}

function isComplete(next: RepositoryDraft): PublishRefusal | undefined {
  const missing = delegatedRoles(next).find((role) => !Object.hasOwn(next.roles, role))
  if (missing === undefined) return undefined
  const fact = `The role ${missing} is delegated and has no file; devices would stop at it.`
  return no(
    'every-delegation-has-a-file',
    fact,
    'The members of the role',
    'Publish its first file together with the delegation.',
  )
}

/** A member who leaves takes a signature along; the others sign the next version first. */
function keepsQuorums(next: RepositoryDraft): PublishRefusal | undefined {
  for (const role of delegatedRoles(next)) {
    const trusted = trustedKeysOf(next, role)
    const document = next.roles[role]
    if (!trusted || !document) continue
    const have = signersOf(document, trusted).length
    if (have >= trusted.threshold) continue
    const fact = `${role} version ${document.signed.version} would be signed by ${have} of ${trusted.threshold} keys.`
    return no(
      'every-file-keeps-its-quorum',
      fact,
      'The remaining members of the role',
      `Let them sign version ${document.signed.version + 1} first and publish both together.`,
    )
  }
  return undefined
}

function snapshotInBounds(next: RepositoryDraft): PublishRefusal | undefined {
  const count = Object.keys(next.roles).length
  if (count <= snapshotRolesMax) return undefined
  const fact = `The repository would have ${count} roles; devices read ${snapshotRolesMax} at most.`
  return no('snapshot-in-bounds', fact, 'The custodians', 'Make a repository of its own for a business unit.')
}

function keysAndRolesOf(signed: RootSigned | RoleSigned) {
  if (signed._type === 'root') {
    const roles = Object.entries(signed.roles).map(([name, role]) => ({ name, ...role }))
    return { keys: signed.keys, roles }
  }
  return delegationsOf(signed) ?? { keys: {}, roles: [] }
}

/** The role of a document, or the refusal when nobody may publish under that name. */
export function publishableRole(role: string): RoleName | PublishRefusal {
  const name = roleNameFrom(role)
  if (name && name.kind in formOf) return name
  return no(
    'role-has-a-form',
    `${JSON.stringify(role)} names no file that people sign.`,
    'Nobody',
    'Name a role of the board.',
  )
}

function no(rule: string, fact: string, lifter: string, next: string): PublishRefusal {
  return { rule, fact, lifter, next }
}
