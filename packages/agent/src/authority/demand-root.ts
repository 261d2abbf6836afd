import type { Journal } from '#/journal/journal.ts'
import type { Identity } from '#/journal/state.ts'
import { storeIdentityCopy } from './anchor-in-use.ts'
import { WrongRoot } from './anchor.ts'

/**
 * A fingerprint that a person gives later than at enrolment: it makes a root of the first use a known one, is kept for
 * a root that is still to come, and stops a device that rests on another root. Throws `WrongRoot` then.
 */
export function demandRoot(data: string, journal: Journal, sha256: string | null): void {
  const { identity, epoch } = journal.state
  if (!identity || sha256 === null) return
  const { root } = identity
  if (root && root.sha256 !== sha256) throw new WrongRoot(sha256, root.sha256)
  if (root?.kind === 'fingerprint' || identity.demandedRootSha256 === sha256) return
  const known: Identity = {
    ...identity,
    demandedRootSha256: sha256,
    ...(root ? { root: { sha256, kind: 'fingerprint' } } : {}),
  }
  storeIdentityCopy(data, known)
  journal.append({ t: 'identity', identity: known, epoch: epoch ?? '' })
}
