import type { TufKey } from '@bascule/contract/device/protocol.ts'
import { assert } from '@bascule/domain/lib/result.ts'
import { expiryText } from '#/expiry.ts'
import { keyIdOf, tufKeyOf } from '#/key-id.ts'
import { plainSha256Hex } from '#/plain-sha256.ts'
import {
  type DelegatedRole,
  type DelegatingSigned,
  type KeyLevel,
  type ReleaseTarget,
  type ReleasesSigned,
  type RoleMeta,
  type RootSigned,
  type SnapshotSigned,
  type StopTarget,
  type StopsSigned,
  type TimestampSigned,
  specVersion,
} from './documents.ts'
import { usualExpiry } from './lifetimes.ts'
import { type RoleKind, directorRole, pathPatternOf, roleNameFrom } from './names.ts'

/** When a document is made, which version it gets, and when it ends if not as usual. */
export interface Issue {
  readonly version: number
  readonly at: Temporal.Instant
  readonly expiresAt?: Temporal.Instant
}

/** Whose signatures count for a role: raw public keys (hex), and how many are needed. */
export interface Quorum {
  readonly publicKeys: readonly string[]
  readonly threshold: number
}

/** A quorum of people, with the way each keeps the key and the least that is accepted. */
export interface MemberQuorum extends Quorum {
  readonly levels?: Readonly<Record<string, KeyLevel>>
  readonly minLevel?: KeyLevel
}

/** The trust anchor. Every key of the four roles is listed once. */
export function buildRoot(
  issue: Issue,
  roles: { root: Quorum; targets: Quorum; snapshot: Quorum; timestamp: Quorum },
): RootSigned {
  return {
    _type: 'root',
    ...commonOf('root', issue),
    consistent_snapshot: true,
    keys: keysOf(Object.values(roles).flatMap((role) => role.publicKeys)),
    roles: {
      root: roleOf(roles.root),
      targets: roleOf(roles.targets),
      snapshot: roleOf(roles.snapshot),
      timestamp: roleOf(roles.timestamp),
    },
  }
}

/** Top-level targets: the director and one delegation per board, and no target of its own. */
export function buildTargets(
  issue: Issue,
  quorums: { director: Quorum; boards: Readonly<Record<string, MemberQuorum>> },
): DelegatingSigned {
  const roles = { ...quorums.boards, [directorRole]: quorums.director }
  return delegating('targets', issue, roles)
}

/** A board's role: one delegation per product line, the emergency role and the stop role. Keyed by role name. */
export function buildBoard(issue: Issue, quorums: Readonly<Record<string, MemberQuorum>>): DelegatingSigned {
  return delegating('board', issue, quorums)
}

/** The role file of a product line or of the emergency role. */
export function buildReleases(
  kind: 'line' | 'emergency',
  issue: Issue,
  targets: Readonly<Record<string, ReleaseTarget>>,
): ReleasesSigned {
  return { _type: 'targets', ...commonOf(kind, issue), targets: sorted(targets) }
}

/** The role file that can only deny. */
export function buildStops(issue: Issue, targets: Readonly<Record<string, StopTarget>>): StopsSigned {
  return { _type: 'targets', ...commonOf('stop', issue), targets: sorted(targets) }
}

/** The list of all role files that fit together, keyed by role name without `.json`. */
export function buildSnapshot(issue: Issue, roles: Readonly<Record<string, RoleMeta>>): SnapshotSigned {
  const meta = Object.fromEntries(Object.entries(roles).map(([role, file]) => [`${role}.json`, file]))
  return { _type: 'snapshot', ...commonOf('snapshot', issue), meta: sorted(meta) }
}

/** The smallest file, fetched most often: which snapshot is the newest. */
export function buildTimestamp(issue: Issue, snapshotVersion: number, snapshotBytes: Uint8Array): TimestampSigned {
  const snapshot = {
    version: snapshotVersion,
    length: snapshotBytes.length,
    hashes: { sha256: plainSha256Hex(snapshotBytes) },
  }
  return { _type: 'timestamp', ...commonOf('timestamp', issue), meta: { 'snapshot.json': snapshot } }
}

function commonOf(kind: RoleKind, { version, at, expiresAt }: Issue) {
  return {
    spec_version: specVersion as typeof specVersion,
    version,
    expires: expiryText(expiresAt ?? usualExpiry(kind, at)),
    'x-issued': expiryText(at),
  }
}

function delegating(
  kind: 'targets' | 'board',
  issue: Issue,
  quorums: Readonly<Record<string, MemberQuorum>>,
): DelegatingSigned {
  // In the order of their names: a decision that was stored in between must not give another document.
  const roles = Object.entries(sorted(quorums)).map(([name, quorum]) => delegationOf(name, quorum))
  const keys = keysOf(Object.values(quorums).flatMap((quorum) => quorum.publicKeys))
  return { _type: 'targets', ...commonOf(kind, issue), targets: {}, delegations: { keys, roles } }
}

/** One delegation, terminating, with the one path pattern that the name of the role allows. */
function delegationOf(name: string, { publicKeys, threshold, levels, minLevel }: MemberQuorum): DelegatedRole {
  const role = roleNameFrom(name)
  const pattern = role && pathPatternOf(role)
  assert(pattern !== undefined, `${name} can be delegated`)
  const byId = publicKeys.map((key): [string, KeyLevel | undefined] => [keyIdOf(key), levels?.[key]])
  const known = byId.filter((entry): entry is [string, KeyLevel] => entry[1] !== undefined)
  return {
    name,
    ...roleOf({ publicKeys, threshold }),
    terminating: true,
    paths: [pattern],
    ...(minLevel === undefined ? {} : { 'x-min-level': minLevel }),
    ...(known.length === 0 ? {} : { 'x-levels': Object.fromEntries(known) }),
  }
}

function roleOf({ publicKeys, threshold }: Quorum) {
  return { keyids: publicKeys.map(keyIdOf), threshold }
}

function keysOf(publicKeys: readonly string[]): Record<string, TufKey> {
  return sorted(Object.fromEntries(publicKeys.map((key) => [keyIdOf(key), tufKeyOf(key)])))
}

function sorted<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))
}
