import { keyIdOf } from '#/key-id.ts'
import type { MemberQuorum, Quorum } from './build.ts'
import type { DelegatingSigned, KeyLevel, RootSigned } from './documents.ts'

/** The quorums of a delegating document by role name, as the builders take them. */
export function quorumsOf(signed: DelegatingSigned | undefined): Record<string, MemberQuorum> {
  if (!signed) return {}
  const { keys, roles } = signed.delegations
  const entries = roles.map(({ name, keyids, threshold, 'x-min-level': minLevel, 'x-levels': levels }) => {
    const known = keyids.flatMap((id) => keys[id] ?? [])
    const byKey = known.flatMap((key): [string, KeyLevel][] => {
      const level = levels?.[keyIdOf(key.keyval.public)]
      return level === undefined ? [] : [[key.keyval.public, level]]
    })
    const quorum: MemberQuorum = {
      publicKeys: known.map((key) => key.keyval.public),
      threshold,
      ...(minLevel === undefined ? {} : { minLevel }),
      ...(byKey.length === 0 ? {} : { levels: Object.fromEntries(byKey) }),
    }
    return [name, quorum] as const
  })
  return Object.fromEntries(entries)
}

/** The four quorums of a root. */
export function rootQuorumsOf(root: RootSigned): Record<keyof RootSigned['roles'], Quorum> {
  const quorumOf = (role: keyof RootSigned['roles']): Quorum => {
    const { keyids, threshold } = root.roles[role]
    return { publicKeys: keyids.flatMap((id) => root.keys[id]?.keyval.public ?? []), threshold }
  }
  return {
    root: quorumOf('root'),
    targets: quorumOf('targets'),
    snapshot: quorumOf('snapshot'),
    timestamp: quorumOf('timestamp'),
  }
}

/**
 * How many members change the board itself: the majority, and one more than a go needs where there are as many, so that
 * nobody who can let a release out can also change who may. All of them where there are not.
 */
export function governanceQuorum(memberCount: number, goQuorum: number): number {
  return Math.min(memberCount, Math.max(Math.floor(memberCount / 2) + 1, goQuorum + 1))
}
