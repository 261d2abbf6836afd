import type { ReleasePlan } from '@bascule/contract/plan/release.ts'
import { ok, refuse, type Refusal, type Result } from '@bascule/domain/lib/result.ts'
import type { BlobStore } from '@bascule/content/blobs/blob-store.ts'
import { putBytes } from '@bascule/content/blobs/put-bytes.ts'
import { findActiveVersion } from '#/estate/library/library.service.ts'
import { nextCounter } from '#/estate/product-line/product-line.service.ts'
import type { Db } from '#/platform/db/database.ts'
import type { AskWithin } from '#/platform/db/read-within.ts'
import { refused, type Answer } from '#/platform/lib/answer.ts'
import { buildManifest, type FrozenPhase, type PinnedPackage } from './manifest.ts'
import { audienceRootOf, placeAudience, type Membership } from './membership.ts'
import { setReleaseState, writeFrozen, type FrozenParts, type ReleaseRecord } from './release.store.ts'

/** What was fixed: what a board signs, and what a rollout later begins with. */
export type FrozenRelease = Omit<FrozenParts, 'members'>

type FreezeRefusal = Refusal<
  'release-not-freezable' | 'package-not-available' | 'audience-empty' | 'devices-without-phase'
>

/**
 * Fixes everything that a board signs, in the transaction that asks it: the packages are pinned by digest, the audience
 * is counted and placed, the counter is taken, the manifest gets its bytes. The release, which the caller has locked, is
 * `accepting` afterwards, and its rollout reads these parts and nothing else.
 */
export async function freezeRelease(
  tx: Db,
  ask: AskWithin,
  blobs: BlobStore,
  release: ReleaseRecord,
  now: Temporal.Instant,
): Promise<Answer<FrozenRelease>> {
  if (release.state !== 'draft' && release.state !== 'planned') return refused(notFreezable(release))
  const packages = await pinPackages(tx, release.plan)
  if (!packages.ok) return refused(packages.error)
  const { audience, phases } = release.plan
  const membership = await ask(async () => await placeAudience(tx, audience.query, phases))
  const refusal = refusalOf(release.plan, membership)
  if (refusal) return refused(refusal)
  const { members, ...frozen } = await partsOf(tx, blobs, release, packages.value, membership)
  await writeFrozen(tx, release.id, { members, ...frozen })
  await setReleaseState(tx, release.id, 'accepting', now.toString())
  return ok(frozen)
}

/** Lets the plan move again after a board did not agree. The counter stays used: the next question takes the next one. */
export async function unfreezeRelease(tx: Db, id: string, now: Temporal.Instant): Promise<void> {
  await writeFrozen(tx, id, null)
  await setReleaseState(tx, id, 'planned', now.toString())
}

async function partsOf(
  tx: Db,
  blobs: BlobStore,
  { id, plan }: ReleaseRecord,
  packages: readonly PinnedPackage[],
  membership: Membership,
): Promise<FrozenParts> {
  const phases = await frozenPhases(plan, membership)
  const counter = await nextCounter(tx, plan.productLine)
  const manifest = buildManifest(id, counter, plan, packages, phases)
  // Before the commit: a release never names a manifest that is not there. An orphan blob hurts nobody.
  await putBytes(blobs, manifest.bytes)
  return {
    counter,
    manifestSha256: manifest.sha256,
    manifestSizeBytes: manifest.bytes.length,
    members: membership.members,
    audience: membership.audience,
    phases,
    packages,
  }
}

async function pinPackages(tx: Db, plan: ReleasePlan): Promise<Result<PinnedPackage[], FreezeRefusal>> {
  const pinned: PinnedPackage[] = []
  for (const { name, version } of plan.packages) {
    const found = await findActiveVersion(tx, name, version)
    if (!found) return refuse(packageNotAvailable(name, version))
    pinned.push({ name, version, indexDigest: found.indexDigest, indexSizeBytes: found.indexSizeBytes })
  }
  return ok(pinned)
}

/** A phase without devices is signed for nobody; a dynamic one for whom the server chooses. */
async function frozenPhases(plan: ReleasePlan, membership: Membership): Promise<FrozenPhase[]> {
  const isDynamic = plan.audience.mode === 'dynamic'
  const frozen: FrozenPhase[] = []
  for (const [at, { name, notBefore, notAfter }] of plan.phases.entries()) {
    const { devices, keyIds } = membership.phases[at] ?? { devices: 0, keyIds: [] }
    const audienceRoot = isDynamic ? null : await audienceRootOf(keyIds)
    const permille = isDynamic ? 1000 : Math.ceil((devices * 1000) / membership.audience)
    frozen.push({ order: at + 1, name, devices, audienceRoot, permille, notBefore, notAfter })
  }
  return frozen
}

function notFreezable({ id, state }: ReleaseRecord): FreezeRefusal {
  return {
    rule: 'release-not-freezable',
    fact: `${id} is ${state}; its plan is fixed already.`,
    lifter: 'nobody',
    next: state === 'accepting' ? 'Wait for the board, or take the question back.' : 'Plan a new release.',
  }
}

function packageNotAvailable(name: string, version: string): FreezeRefusal {
  return {
    rule: 'package-not-available',
    fact: `The library has no active version ${version} of ${name}.`,
    lifter: 'whoever uploads packages',
    next: `Upload ${name} ${version}, or choose another version in the plan.`,
  }
}

function refusalOf(plan: ReleasePlan, membership: Membership): FreezeRefusal | undefined {
  if (membership.audience === 0) {
    return {
      rule: 'audience-empty',
      fact: `No active device matches "${plan.audience.query}".`,
      lifter: 'release manager',
      next: 'Change the audience, or enrol devices first.',
    }
  }
  if (membership.unplaced > 0) {
    return {
      rule: 'devices-without-phase',
      fact: `${membership.unplaced} of ${membership.audience} devices are in no phase.`,
      lifter: 'release manager',
      next: 'Add a last phase with an empty query; it takes everybody who is left.',
    }
  }
  return undefined
}
