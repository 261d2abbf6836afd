import type { RoleMember } from '@bascule/contract/decide/signing.ts'
import type { TrustedKeys } from '@bascule/trust/envelope.ts'
import { roleNameFrom } from '@bascule/trust/tuf/names.ts'
import { type RepositoryDraft, delegationsOf } from '@bascule/trust/tuf/repository-state.ts'
import type { PersonId } from '@bascule/domain/lib/ids.ts'
import type { Db } from '#/platform/db/database.ts'
import '#/estate/person/person.tables.ts'
import '../member-key/member-key.tables.ts'

/** Whom a key belongs to, as far as somebody has said so. */
export interface KeyOwner {
  readonly personId: PersonId | null
  readonly name: string
}
export type KeyOwners = ReadonlyMap<string, KeyOwner>

export async function findKeyOwners(db: Db): Promise<KeyOwners> {
  const rows = await db
    .selectFrom('member_key')
    .leftJoin('person', 'person.id', 'member_key.person_id')
    .select(['member_key.key_id', 'member_key.label', 'member_key.person_id', 'person.name'])
    .execute()
  return new Map(rows.map((row) => [row.key_id, { personId: row.person_id, name: row.name ?? row.label }]))
}

export function ownerName(owners: KeyOwners, keyId: string): string {
  return owners.get(keyId)?.name ?? `Key ${keyId.slice(0, 12)}`
}

/** Who may sign a role, who of them has, and how each keeps the key as the board signed it. */
export function membersOf(
  state: RepositoryDraft,
  role: string,
  keys: TrustedKeys,
  signers: readonly string[],
  owners: KeyOwners,
): RoleMember[] {
  const levels = delegationOf(state, role)?.['x-levels'] ?? {}
  return Object.keys(keys.keys).map((keyId) => ({
    keyId,
    level: Object.hasOwn(levels, keyId) ? (levels[keyId] ?? null) : null,
    personId: owners.get(keyId)?.personId ?? null,
    name: ownerName(owners, keyId),
    hasSigned: signers.includes(keyId),
  }))
}

/** The delegation of a role, which says its levels; none for the four roles of the root. */
export function delegationOf(state: RepositoryDraft, role: string) {
  const name = roleNameFrom(role)
  const delegator =
    name?.kind === 'board' || name?.kind === 'director' ? 'targets' : name && 'board' in name ? name.board : ''
  return delegationsOf(state.roles[delegator]?.signed)?.roles.find((one) => one.name === role)
}
