import { keyIdOf } from '#/key-id.ts'
import type { MemberQuorum } from '#/tuf/build.ts'
import type { KeyLevel } from '#/tuf/documents.ts'

/** Somebody's public key (64 hex characters), and how it is kept as far as that is known. */
export interface MemberKey {
  readonly publicKey: string
  readonly level?: KeyLevel
}

/** The quorum of these members. */
export function quorumOfMembers(members: readonly MemberKey[], threshold: number, minLevel?: KeyLevel): MemberQuorum {
  const levels = members.flatMap(({ publicKey, level }) => (level === undefined ? [] : [[publicKey, level] as const]))
  return {
    publicKeys: members.map(({ publicKey }) => publicKey),
    threshold,
    ...(minLevel === undefined ? {} : { minLevel }),
    ...(levels.length === 0 ? {} : { levels: Object.fromEntries(levels) }),
  }
}

/** The same members and one more, who stands in the place of another where `at` says so. */
export function withMember(quorum: MemberQuorum, member: MemberKey, at = quorum.publicKeys.length): MemberQuorum {
  const members = membersOf(quorum)
  return quorumOfMembers(members.toSpliced(at, 0, member), quorum.threshold, quorum.minLevel)
}

/** The same members without one; the threshold falls only where too few would be left for it. */
export function withoutMember(quorum: MemberQuorum, keyId: string): MemberQuorum {
  const members = membersOf(quorum).filter(({ publicKey }) => keyIdOf(publicKey) !== keyId)
  return quorumOfMembers(members, Math.min(quorum.threshold, members.length), quorum.minLevel)
}

/** One key in the place of another; the number of signatures stays. */
export function withReplaced(quorum: MemberQuorum, keyId: string, member: MemberKey): MemberQuorum {
  const place = quorum.publicKeys.findIndex((publicKey) => keyIdOf(publicKey) === keyId)
  return { ...withMember(withoutMember(quorum, keyId), member, place), threshold: quorum.threshold }
}

export function hasMember({ publicKeys }: MemberQuorum, keyId: string): boolean {
  return publicKeys.some((publicKey) => keyIdOf(publicKey) === keyId)
}

function membersOf({ publicKeys, levels }: MemberQuorum): MemberKey[] {
  return publicKeys.map((publicKey) => {
    const level = levels?.[publicKey]
    return level === undefined ? { publicKey } : { publicKey, level }
  })
}
