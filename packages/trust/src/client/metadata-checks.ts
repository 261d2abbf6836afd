import { parseStrictJson } from '#/canonical.ts'
import { expiryFrom } from '#/expiry.ts'
import { fileMaxBytes, roleTargetsMax, snapshotRolesMax } from '#/tuf/documents.ts'
import {
  type ClaimedDelegation,
  problemOfDelegations,
  problemOfKeyIds,
  problemOfLevels,
  problemOfThresholds,
  problemOfTwinKeys,
} from '#/tuf/key-rules.ts'
import { type FreshnessProfile, clockTolerance, lifetimeMax } from '#/tuf/lifetimes.ts'
import { type RoleKind, roleNameFrom } from '#/tuf/names.ts'
import type { AuthorityCode, Finding } from './refusal.ts'

/** A metadata file as it arrived, before anything has been verified. */
export interface MetadataCase {
  readonly role: string
  readonly kind: RoleKind
  readonly bytes: Uint8Array
  /** The most that whoever announced the file allows. */
  readonly maxBytes: number
  /** The `signed` part, leniently read; `{}` when there is none. */
  readonly signed: Readonly<Record<string, unknown>>
  readonly at: Temporal.Instant
  readonly profile: FreshnessProfile
}

export interface MetadataCheck {
  readonly name: string
  readonly check: (file: MetadataCase) => Finding | undefined
}

/**
 * What is asked of every metadata file before tuf-js sees it. These are the questions that TUF asks clients to answer
 * and tuf-js leaves open, and the bounds that keep its quadratic parts small. A file that fails never gets into the
 * cache: a timestamp that lives until 2099 must not be what tomorrow's honest one is compared with.
 */
export const metadataChecks: readonly MetadataCheck[] = [
  { name: 'file-in-bounds', check: inBounds },
  { name: 'file-is-strict-json', check: strictJson },
  { name: 'file-lists-few', check: listsFew },
  { name: 'dates-are-well-formed', check: datesWellFormed },
  { name: 'lifetime-in-bounds', check: lifetimeInBounds },
  { name: 'issued-in-the-past', check: issuedInThePast },
  { name: 'key-ids-are-hashes', check: keyIdsAreHashes },
  { name: 'no-twin-keys', check: noTwinKeys },
  { name: 'thresholds-are-possible', check: thresholdsPossible },
  { name: 'delegations-stay-below', check: delegationsStayBelow },
  { name: 'keys-are-kept-as-demanded', check: keptAsDemanded },
]

/** The case of a file, read once for all checks. Undefined when its name is no role's. */
export function metadataCaseOf(
  role: string,
  bytes: Uint8Array,
  given: Pick<MetadataCase, 'at' | 'profile' | 'maxBytes'>,
): MetadataCase | undefined {
  const kind = roleNameFrom(role)?.kind
  if (kind === undefined) return undefined
  const maxBytes = Math.min(given.maxBytes, maxBytesOf(kind))
  // Nothing beyond the bound is even read: the check of the bound will say so.
  const signed = bytes.length <= maxBytes ? signedOf(bytes) : {}
  return { ...given, role, kind, bytes, maxBytes, signed }
}

/** The most bytes a device reads of a role's file. */
export function maxBytesOf(kind: RoleKind): number {
  if (kind === 'root' || kind === 'timestamp' || kind === 'snapshot') return fileMaxBytes[kind]
  return fileMaxBytes.targets
}

function inBounds({ role, bytes, maxBytes }: MetadataCase): Finding | undefined {
  return bytes.length <= maxBytes ? undefined : found('ENDLESS', `The file of ${role} has more than ${maxBytes} bytes.`)
}

function strictJson({ role, bytes }: MetadataCase): Finding | undefined {
  const value = parseStrictJson(Buffer.from(bytes).toString('utf8'))
  return value.ok ? undefined : found('FORM', `The file of ${role} ${value.error}.`)
}

function listsFew({ role, signed }: MetadataCase): Finding | undefined {
  const targets = Object.keys(recordOf(signed['targets'])).length
  if (targets > roleTargetsMax) return found('TOOMANY', `${role} lists ${targets} targets; ${roleTargetsMax} are read.`)
  const roles = Math.max(Object.keys(recordOf(signed['meta'])).length, rolesOf(signed).length)
  return roles > snapshotRolesMax
    ? found('TOOMANY', `${role} lists ${roles} roles; ${snapshotRolesMax} are read.`)
    : undefined
}

function datesWellFormed({ role, signed }: MetadataCase): Finding | undefined {
  if (expiryFrom(signed['expires'])) return undefined
  return found('EXPIRES', `${role} expires at ${JSON.stringify(signed['expires'])}, which is no instant.`)
}

function lifetimeInBounds({ role, kind, signed, at, profile }: MetadataCase): Finding | undefined {
  const expiresAt = expiryFrom(signed['expires'])
  const latest = at.add(lifetimeMax(kind, profile)).add(clockTolerance)
  if (!expiresAt || Temporal.Instant.compare(expiresAt, latest) <= 0) return undefined
  return found('EXPIRES', `${role} would live until ${expiresAt.toString()}, later than any ${kind} may.`)
}

function issuedInThePast({ role, signed, at }: MetadataCase): Finding | undefined {
  const issuedAt = expiryFrom(signed['x-issued'])
  if (issuedAt && Temporal.Instant.compare(issuedAt, at.add(clockTolerance)) <= 0) return undefined
  return found('ISSUED', `${role} says it was issued at ${JSON.stringify(signed['x-issued'])}.`)
}

function keyIdsAreHashes({ role, signed }: MetadataCase): Finding | undefined {
  return about(role, 'KEYID', problemOfKeyIds(keysOf(signed)))
}

function noTwinKeys({ role, signed }: MetadataCase): Finding | undefined {
  return about(role, 'DUPKEY', problemOfTwinKeys(keysOf(signed)))
}

function thresholdsPossible({ role, signed }: MetadataCase): Finding | undefined {
  return about(role, 'THRESHOLD', problemOfThresholds(keysOf(signed), rolesOf(signed)))
}

function delegationsStayBelow({ role, kind, signed }: MetadataCase): Finding | undefined {
  if (kind === 'targets' || kind === 'board') {
    return about(role, 'DELEGATION', problemOfDelegations(role, rolesOf(signed)))
  }
  const isPlain = signed['delegations'] === undefined
  return isPlain ? undefined : found('DELEGATION', `${role} delegates, and only the custodians and boards may.`)
}

function keptAsDemanded({ role, kind, signed }: MetadataCase): Finding | undefined {
  return kind === 'targets' || kind === 'board' ? about(role, 'LEVEL', problemOfLevels(rolesOf(signed))) : undefined
}

function about(role: string, code: AuthorityCode, problem: string | undefined): Finding | undefined {
  return problem === undefined ? undefined : found(code, `${role}: ${problem}`)
}

function found(code: AuthorityCode, fact: string): Finding {
  return { code, fact }
}

function signedOf(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    return recordOf(recordOf(JSON.parse(Buffer.from(bytes).toString('utf8')))['signed'])
  } catch {
    // What is no JSON has no signed part; the check of the form says so.
    return {}
  }
}

function keysOf(signed: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return signed['_type'] === 'root' ? recordOf(signed['keys']) : recordOf(recordOf(signed['delegations'])['keys'])
}

/** Roles of a root or delegations, as far as they have the form; what has not is refused by tuf-js. */
function rolesOf(signed: Readonly<Record<string, unknown>>): ClaimedDelegation[] {
  const list = recordOf(signed['delegations'])['roles']
  const entries =
    signed['_type'] === 'root'
      ? Object.entries(recordOf(signed['roles'])).map(([name, role]) => ({ name, ...recordOf(role) }))
      : Array.isArray(list)
        ? list.map(recordOf)
        : []
  return entries.map((role: Record<string, unknown>) => ({
    ...role,
    name: typeof role['name'] === 'string' ? role['name'] : '',
    keyids: Array.isArray(role['keyids']) ? (role['keyids'] as unknown[]) : [],
    threshold: role['threshold'],
  }))
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}
