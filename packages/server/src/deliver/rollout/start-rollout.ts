import type { ReleasePlan } from '@bascule/contract/plan/release.ts'
import { releasePath } from '@bascule/domain/plan/release-moves.ts'
import { ok, type Refusal, type Result, refuse } from '@bascule/domain/lib/result.ts'
import type { BlobStore } from '@bascule/content/blobs/blob-store.ts'
import { findActiveVersion } from '#/estate/library/library.service.ts'
import { nextCounter } from '#/estate/product-line/product-line.service.ts'
import type { Db } from '#/platform/db/database.ts'
import { writeWithin } from '#/platform/db/read-within.ts'
import { wake } from '#/platform/jobs/timer.ts'
import { record } from '#/platform/ledger/record.ts'
import type { ReleaseId } from '@bascule/domain/lib/ids.ts'
import type { Call } from '#/platform/http/os.ts'
import { notFound, refused, type Answer } from '#/platform/lib/answer.ts'
import { buildManifest, type FrozenPhase, type PinnedPackage } from '#/plan/release/manifest.ts'
import { lockRelease, pinManifest, setReleaseState, type ReleaseRecord } from '#/plan/release/release.service.ts'
import { everywherePermitted } from './permit.ts'
import { audienceRootOf, placeAudience, type Membership } from '#/plan/release/membership.ts'
import { putBytes } from '@bascule/content/blobs/put-bytes.ts'

type StartRefusal = Refusal<
  'release-not-startable' | 'package-not-available' | 'audience-empty' | 'devices-without-phase'
>

/**
 * Freezes the plan and starts the rollout: the packages are pinned by digest, the audience is counted and placed, the
 * manifest gets its bytes. A handful of rows, however large the fleet; devices get theirs when they act.
 */
export async function startRollout(
  { db, actor, now }: Call,
  blobs: BlobStore,
  releaseId: ReleaseId,
): Promise<Answer<ReleaseId>> {
  const permitted = everywherePermitted(actor, 'rollout.start')
  if (!permitted.ok) return permitted
  return await writeWithin(db, async (tx, ask) => {
    const release = await lockRelease(tx, releaseId)
    if (!release) return notFound('release')
    const packages = await pinPackages(tx, release)
    if (!packages.ok) return refused(packages.error)
    const { audience, phases } = release.plan
    const membership = await ask(async () => await placeAudience(tx, audience.query, phases))
    const refusal = refusalOf(release, membership)
    if (refusal) return refused(refusal)
    const rolloutId = await freeze(blobs, tx, release, packages.value, membership, now)
    const after = {
      state: 'rolling-out',
      through: releasePath(release.state, 'rolling-out'),
      audience: membership.audience,
      phases: membership.phases.map((phase) => phase.devices),
      packages: packages.value.map(({ name, version, indexDigest }) => ({ name, version, index: indexDigest })),
    }
    const subject = { kind: 'rollout', id: String(rolloutId) }
    await record(tx, {
      actor,
      at: now,
      did: 'rollout.started',
      subject,
      releaseId,
      before: { state: release.state },
      after,
    })
    return ok(releaseId)
  })
}

async function pinPackages(tx: Db, release: ReleaseRecord): Promise<Result<PinnedPackage[], StartRefusal>> {
  const pinned: PinnedPackage[] = []
  for (const { name, version } of release.plan.packages) {
    const found = await findActiveVersion(tx, name, version)
    if (!found) return refuse(packageNotAvailable(name, version))
    pinned.push({ name, version, indexDigest: found.indexDigest, indexSizeBytes: found.indexSizeBytes })
  }
  return ok(pinned)
}

function packageNotAvailable(name: string, version: string): StartRefusal {
  return {
    rule: 'package-not-available',
    fact: `The library has no active version ${version} of ${name}.`,
    lifter: 'whoever uploads packages',
    next: `Upload ${name} ${version}, or choose another version in the plan.`,
  }
}

function refusalOf(release: ReleaseRecord, membership: Membership): StartRefusal | undefined {
  if (release.state !== 'draft' && release.state !== 'planned') {
    return {
      rule: 'release-not-startable',
      fact: `${release.id} is ${release.state}.`,
      lifter: 'nobody',
      next: 'Plan a new release.',
    }
  }
  if (membership.audience === 0) {
    return {
      rule: 'audience-empty',
      fact: `No active device matches "${release.plan.audience.query}".`,
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

async function freeze(
  blobs: BlobStore,
  tx: Db,
  release: ReleaseRecord,
  packages: readonly PinnedPackage[],
  membership: Membership,
  now: Temporal.Instant,
): Promise<number> {
  const { plan } = release
  const phases = await frozenPhases(plan, membership)
  const counter = await nextCounter(tx, plan.productLine)
  const manifest = buildManifest(release.id, counter, plan, packages, phases)
  // Before the commit: a release never names a manifest that is not there. An orphan blob hurts nobody.
  await putBytes(blobs, manifest.bytes)
  await pinManifest(tx, release.id, { counter, sha256: manifest.sha256, sizeBytes: manifest.bytes.length })
  const rolloutId = await insertRollout(tx, release, membership, now)
  await insertPhases(tx, rolloutId, plan, phases, now)
  await setReleaseState(tx, release.id, 'rolling-out', now.toString())
  await wake(tx, 'rollout', String(rolloutId), now)
  return rolloutId
}

async function frozenPhases(plan: ReleasePlan, membership: Membership): Promise<FrozenPhase[]> {
  const frozen: FrozenPhase[] = []
  for (const [at, phase] of plan.phases.entries()) {
    const { devices, keyIds } = membership.phases[at] ?? { devices: 0, keyIds: [] }
    frozen.push({
      order: at + 1,
      name: phase.name,
      audienceRoot: plan.audience.mode === 'frozen' ? await audienceRootOf(keyIds) : null,
      devices,
      notBefore: phase.notBefore,
      notAfter: phase.notAfter,
    })
  }
  return frozen
}

async function insertRollout(
  tx: Db,
  release: ReleaseRecord,
  membership: Membership,
  now: Temporal.Instant,
): Promise<number> {
  const row = await tx
    .insertInto('rollout')
    .values({
      release_id: release.id,
      state: 'running',
      state_since: now.toString(),
      audience_mode: release.plan.audience.mode,
      audience_query: release.plan.audience.query,
      members: Buffer.from(membership.members),
      started_at: now.toString(),
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  return row.id
}

async function insertPhases(
  tx: Db,
  rolloutId: number,
  plan: ReleasePlan,
  frozen: readonly FrozenPhase[],
  now: Temporal.Instant,
): Promise<void> {
  const rows = plan.phases.map((phase, at) => ({
    rollout_id: rolloutId,
    ord: at + 1,
    name: phase.name,
    query: phase.query,
    size: frozen[at]?.devices ?? 0,
    state: 'waiting' as const,
    state_since: now.toString(),
    advance_at_permille: phase.advanceAtPermille,
    success_permille_min: phase.successPermilleMin,
    failure_budget: phase.failureBudget,
    in_flight_max: phase.inFlightMax,
    soak_seconds: phase.soakSeconds,
    silence_budget: phase.silenceBudget,
    not_before: phase.notBefore,
    not_after: phase.notAfter,
    audience_root: frozen[at]?.audienceRoot ?? null,
  }))
  await tx.insertInto('phase').values(rows).execute()
}
