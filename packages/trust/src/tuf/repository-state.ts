import { unreachable } from '@bascule/domain/lib/result.ts'
import type { Envelope, TrustedKeys } from '#/envelope.ts'
import type {
  DelegatedRole,
  DelegatingSigned,
  ReleasesSigned,
  RoleSigned,
  RootSigned,
  SnapshotSigned,
  TimestampSigned,
} from './documents.ts'
import { type TargetPath, directorRole, roleNameFrom, targetPathFrom } from './names.ts'

/** A repository as the signer holds it: every document has been verified by the one who put it here. */
export interface RepositoryState {
  readonly root: Envelope<RootSigned>
  /** Every delegating and listing role file by role name, `targets` among them. A role that lost its delegation stays:
   * the list of a snapshot never shrinks. */
  readonly roles: Readonly<Record<string, Envelope<RoleSigned>>>
  readonly snapshot: Envelope<SnapshotSigned>
  readonly timestamp: Envelope<TimestampSigned>
  /** Highest counter ever published, by `board/line`. Withdrawn releases leave the files and never this memory. */
  readonly counters: Readonly<Record<string, number>>
}

/** Nothing is published yet. */
export type RepositoryDraft = Pick<RepositoryState, 'roles' | 'counters'> & Partial<RepositoryState>
export const emptyRepository: RepositoryDraft = { roles: {}, counters: {} }

/** Who vouches for a role: the root for the top-level ones, targets for boards, a board for the rest. */
export function delegatorOf(role: string): string | undefined {
  const name = roleNameFrom(role)
  switch (name?.kind) {
    case undefined:
      return undefined
    case 'root':
    case 'targets':
    case 'snapshot':
    case 'timestamp':
      return 'root'
    case 'board':
    case 'director':
      return 'targets'
    case 'line':
    case 'emergency':
    case 'stop':
      return name.board
    default:
      return unreachable(name)
  }
}

/** The keys and the threshold of a role as the repository's own documents name them; undefined without a delegation. */
export function trustedKeysOf(repository: RepositoryDraft, role: string): TrustedKeys | undefined {
  const delegator = delegatorOf(role)
  if (delegator === undefined) return undefined
  if (delegator === 'root') return repository.root && rootKeysOf(repository.root.signed, role)
  const delegations = delegationsOf(repository.roles[delegator]?.signed)
  const delegation = delegations?.roles.find(({ name }) => name === role)
  return delegations && delegation && pick(delegations.keys, delegation)
}

/** Keys and threshold of a top-level role. */
export function rootKeysOf(root: RootSigned, role: string): TrustedKeys | undefined {
  const entry = Object.hasOwn(root.roles, role) ? root.roles[role as keyof RootSigned['roles']] : undefined
  return entry && pick(root.keys, entry)
}

/** The delegations of a role file, if it is one that delegates. */
export function delegationsOf(signed: RoleSigned | undefined): DelegatingSigned['delegations'] | undefined {
  return signed !== undefined && 'delegations' in signed ? signed.delegations : undefined
}

/**
 * Ids of the trusted keys that stand beside a document. Only for documents of a repository that was verified when it
 * was read, and that holds no signature that does not fit; where nobody looked, `signersOf` counts.
 */
export function namedSigners(document: Envelope<unknown>, { keys }: Pick<TrustedKeys, 'keys'>): string[] {
  const ids = document.signatures.map(({ keyid }) => keyid)
  return [...new Set(ids)].filter((id) => Object.hasOwn(keys, id)).sort()
}

/** Names of all role files that the documents delegate to, without the director, who has no file. */
export function delegatedRoles(repository: RepositoryDraft): string[] {
  const all = Object.entries(repository.roles).filter(([name]) => trustedKeysOf(repository, name) !== undefined)
  const names = all.flatMap(
    ([, { signed }]) => delegationsOf(signed)?.roles.map((role: DelegatedRole) => role.name) ?? [],
  )
  return ['targets', ...names.filter((name) => name !== directorRole)]
}

/** Every release that a set of role files lists, with where it stands. */
export function releasesOf(
  roles: Readonly<Record<string, Envelope<RoleSigned>>>,
): { role: string; path: string; at: TargetPath; target: ReleasesSigned['targets'][string] }[] {
  return Object.entries(roles).flatMap(([role, { signed }]) =>
    Object.entries(signed.targets as ReleasesSigned['targets']).flatMap(([path, target]) => {
      const at = targetPathFrom(path)
      return at && at.kind !== 'stop' ? [{ role, path, at, target }] : []
    }),
  )
}

function pick(
  keys: TrustedKeys['keys'],
  { keyids, threshold }: { readonly keyids: readonly string[]; readonly threshold: number },
): TrustedKeys {
  const own = keyids.flatMap((id) => (Object.hasOwn(keys, id) ? [[id, keys[id]] as const] : []))
  return { keys: Object.fromEntries(own) as TrustedKeys['keys'], threshold }
}
