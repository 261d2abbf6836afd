import type { Authorised } from '@bascule/trust/client/authorise.ts'
import { recordOf } from '@bascule/trust/client/authorisation-case.ts'
import type { VerifiedAuthority } from '@bascule/trust/client/verified-authority.ts'
import { roleNameFrom } from '@bascule/trust/tuf/names.ts'
import type { AuthorisedBy } from '@bascule/contract/device/protocol.ts'

/** Who let a release onto this device, and of how many keys that many signed. */
export interface Authorisation extends AuthorisedBy {
  readonly keyCount: number
}

export function authorisationOf(authority: VerifiedAuthority, { authorisedBy }: Authorised): Authorisation {
  const { signers, ...by } = authorisedBy
  const keyCount = quorumOf(authority, by.role)?.keyCount ?? signers.length
  return { ...by, rootVersion: authority.rootVersion, signers: [...signers], keyCount }
}

/** As it goes into receipts. */
export function wireAuthorisation({ keyCount: _count, ...by }: Authorisation): AuthorisedBy {
  return by
}

/** `signed by 2 of 3 keys of company.pos, version 7`. */
export function sayAuthorisation({ signers, keyCount, role, version }: Authorisation): string {
  return `signed by ${signers.length} of ${keyCount} keys of ${role}, version ${version}`
}

/** How many signatures a role of a board needs, and of how many keys: what its board delegates. */
export function quorumOf(
  authority: VerifiedAuthority,
  role: string,
): { readonly threshold: number; readonly keyCount: number } | undefined {
  const name = roleNameFrom(role)
  const board = name && 'board' in name ? authority.roles[name.kind === 'board' ? 'targets' : name.board] : undefined
  const list = recordOf(board?.signed['delegations'])['roles']
  const found = (Array.isArray(list) ? list.map(recordOf) : []).find((one) => one['name'] === role)
  const { threshold, keyids } = found ?? {}
  return typeof threshold === 'number' && Array.isArray(keyids) ? { threshold, keyCount: keyids.length } : undefined
}
