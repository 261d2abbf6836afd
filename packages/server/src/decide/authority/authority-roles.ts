import type { AuthorityRole } from '@bascule/contract/decide/signing.ts'
import type { Envelope } from '@bascule/trust/envelope.ts'
import { expiryFrom } from '@bascule/trust/envelope.ts'
import { signersOf } from '@bascule/trust/tuf/attach-signature.ts'
import type { RoleSigned, RootSigned, SnapshotSigned, TimestampSigned } from '@bascule/trust/tuf/documents.ts'
import { lifetimes } from '@bascule/trust/tuf/lifetimes.ts'
import { directorRole, type RoleName, roleNameFrom, targetPathFrom } from '@bascule/trust/tuf/names.ts'
import { delegatedRoles, type RepositoryDraft, trustedKeysOf } from '@bascule/trust/tuf/repository-state.ts'
import { delegationOf, type KeyOwners, membersOf } from '../draft/role-names.ts'

/** From this many days before an expiry that only people can move, they are told. */
export const warnDays = 30
/** An emergency file lives two weeks at most, so its last one is early enough. */
export const emergencyWarnDays = 7

/** All roles that the published metadata names: the four of the root, the director, boards and what they delegate. */
export function authorityRoles(state: RepositoryDraft, owners: KeyOwners, now: Temporal.Instant): AuthorityRole[] {
  if (!state.root) return []
  const names = ['root', ...delegatedRoles(state), 'snapshot', 'timestamp', directorRole]
  return names.flatMap((role) => {
    const name = roleNameFrom(role)
    return name ? [authorityRole(state, role, name, owners, now)] : []
  })
}

export function authorityRole(
  state: RepositoryDraft,
  role: string,
  name: RoleName,
  owners: KeyOwners,
  now: Temporal.Instant,
): AuthorityRole {
  const trusted = trustedKeysOf(state, role) ?? { keys: {}, threshold: 1 }
  const document = documentOf(state, role)
  const signers = document ? signersOf(document, trusted) : []
  return {
    role,
    kind: name.kind,
    board: 'board' in name ? name.board : null,
    productLine: name.kind === 'line' ? name.line : null,
    threshold: trusted.threshold,
    minLevel: delegationOf(state, role)?.['x-min-level'] ?? null,
    members: membersOf(state, role, trusted, signers, owners),
    version: document?.signed.version ?? null,
    issuedAt: document?.signed['x-issued'] ?? null,
    expiresAt: document?.signed.expires ?? null,
    state: document ? stateOf(name, document.signed.expires, now) : 'effective',
    releases: document ? releasesIn(document) : [],
  }
}

type AnyDocument = Envelope<RootSigned | RoleSigned | SnapshotSigned | TimestampSigned>

export function documentOf(state: RepositoryDraft, role: string): AnyDocument | undefined {
  if (role === 'root' || role === 'snapshot' || role === 'timestamp') return state[role]
  return state.roles[role]
}

export function daysLeft(expires: string, now: Temporal.Instant): number {
  const expiresAt = expiryFrom(expires)
  return expiresAt ? Math.floor(now.until(expiresAt).total('hours') / 24) : -1
}

function stateOf({ kind }: RoleName, expires: string, now: Temporal.Instant): AuthorityRole['state'] {
  const days = daysLeft(expires, now)
  if (days < 0) return 'expired'
  if (lifetimes[kind].renewedBy === 'signer') return 'effective'
  return days < (kind === 'emergency' ? emergencyWarnDays : warnDays) ? 'expiring' : 'effective'
}

function releasesIn({ signed }: AnyDocument): string[] {
  const paths = 'targets' in signed ? Object.keys(signed.targets) : []
  return paths.flatMap((path) => targetPathFrom(path)?.release ?? [])
}
