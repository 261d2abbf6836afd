import { keyIdOf } from '#/key-id.ts'
import type { Quorum } from '#/tuf/build.ts'
import { quorumsOf, rootQuorumsOf } from '#/tuf/quorums.ts'
import type { RepositoryDraft } from '#/tuf/repository-state.ts'
import { type OnlinePublicKeys, only } from './first-ceremony.ts'
import { type Change, type Proposal, delegatingOf, propose, refused } from './proposal.ts'

/**
 * New keys for what the server signs by itself, after they were stolen or the signer was made anew. Keys that are not
 * named stay. Devices then forget how far a thief ran the versions up.
 */
export function rotateOnlineKeys(
  repository: RepositoryDraft,
  wish: Partial<OnlinePublicKeys>,
  at: Temporal.Instant,
): Proposal {
  const { root } = repository
  if (!root) return noRoot()
  const had = rootQuorumsOf(root.signed)
  const director = quorumsOf(delegatingOf(repository, 'targets'))['director']
  const isOther = (quorum: Quorum | undefined, key: string | undefined): key is string =>
    key !== undefined && !(quorum?.publicKeys.length === 1 && quorum.publicKeys[0] === key)
  const snapshot = isOther(had.snapshot, wish.snapshot) ? only(wish.snapshot) : had.snapshot
  const timestamp = isOther(had.timestamp, wish.timestamp) ? only(wish.timestamp) : had.timestamp
  const changes: Change[] = [
    ...(snapshot === had.snapshot && timestamp === had.timestamp
      ? []
      : [{ role: 'root', decision: { kind: 'set-keys', ...had, snapshot, timestamp } } as const]),
    ...(isOther(director, wish.director)
      ? [{ role: 'targets', decision: { kind: 'set-roles', roles: { director: only(wish.director) } } } as const]
      : []),
  ]
  if (changes.length > 0) return propose(repository, changes, at)
  return refused(
    'change-changes-something',
    'These are the keys that count already.',
    'Give the signer new keys first.',
  )
}

/** One custodian for another one, in the root and for the delegations. The old quorum and the new one sign the root. */
export function replaceCustodian(
  repository: RepositoryDraft,
  wish: { readonly leaves: string; readonly joins: string; readonly threshold?: number },
  at: Temporal.Instant,
): Proposal {
  const { root } = repository
  if (!root) return noRoot()
  const had = rootQuorumsOf(root.signed)
  const isIt = (publicKey: string) => keyIdOf(publicKey) === wish.leaves
  const custodians = [...had.root.publicKeys, ...had.targets.publicKeys]
  if (!custodians.some(isIt)) {
    return refused('custodian-is-there', `The key ${wish.leaves.slice(0, 12)} is no custodian.`, 'Name a custodian.')
  }
  if (custodians.includes(wish.joins)) {
    return refused('custodian-is-new', 'The new key is a custodian already.', 'Name another key.')
  }
  const replaced = ({ publicKeys, threshold }: Quorum): Quorum => ({
    publicKeys: publicKeys.map((key) => (isIt(key) ? wish.joins : key)),
    threshold: wish.threshold ?? threshold,
  })
  const decision = { kind: 'set-keys', ...had, root: replaced(had.root), targets: replaced(had.targets) } as const
  return propose(repository, [{ role: 'root', decision }], at)
}

function noRoot(): Proposal {
  return refused('root-is-there', 'There is no root yet.', 'Hold the first ceremony.')
}
