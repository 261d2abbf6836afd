import { type RepositoryDraft, releasesOf } from '@bascule/trust/tuf/repository-state.ts'

export interface SignedRelease {
  readonly role: string
  readonly path: string
}

/**
 * Where boards list exactly these bytes of a release; undefined when none does. What was let out as an emergency and
 * ratified later stands in two roles, of which the one of its line is meant to last.
 */
export function findSignedRelease(
  roles: RepositoryDraft['roles'],
  release: { readonly id: string; readonly manifestSha256: string | null },
): SignedRelease | undefined {
  const found = releasesOf(roles).filter(
    ({ at, target }) => at.release === release.id && target.hashes.sha256 === release.manifestSha256,
  )
  return found.find(({ at }) => at.kind === 'normal') ?? found[0]
}
