import type { ReleaseId } from '@bascule/domain/lib/ids.ts'
import { assert, ok, type Refusal } from '@bascule/domain/lib/result.ts'
import { listCases } from '#/decide/case/case-view.ts'
import type { SignedRepository } from '#/decide/authority/signed-repository.ts'
import type { RepositoryDraft } from '@bascule/trust/tuf/repository-state.ts'
import { findFrozenMembers, lockRelease, setReleaseState, type ReleaseRecord } from '#/plan/release/release.service.ts'
import type { Db } from '#/platform/db/database.ts'
import type { Call } from '#/platform/http/os.ts'
import { wake } from '#/platform/jobs/timer.ts'
import { record } from '#/platform/ledger/record.ts'
import { notFound, refused, type Answer } from '#/platform/lib/answer.ts'
import { everywherePermitted } from './permit.ts'
import { findSignedRelease } from './signed-release.ts'

/**
 * Begins what the board let out, with the parts that were frozen when it was asked: however the plan or the fleet have
 * changed since, nothing is looked at again. A handful of rows, however large the fleet; devices get theirs when they act.
 */
export async function startRollout(
  { db, actor, now }: Call,
  repository: Pick<SignedRepository, 'current'>,
  releaseId: ReleaseId,
): Promise<Answer<ReleaseId>> {
  const permitted = everywherePermitted(actor, 'rollout.start')
  if (!permitted.ok) return permitted
  const published = await repository.current()
  return await db.transaction().execute(async (tx) => {
    const release = await lockRelease(tx, releaseId)
    if (!release) return notFound('release')
    if (release.state !== 'authorised') return refused(await notAuthorised(tx, published, release))
    // The state is ours and may lie; what devices will look at is what people signed.
    const signed = findSignedRelease(published.roles, { id: release.id, manifestSha256: release.manifest_sha256 })
    if (!signed) return refused(notListed(release))
    const rolloutId = await begin(tx, release, signed.path, now)
    const after = {
      state: 'rolling-out',
      path: signed.path,
      audience: release.audience,
      phases: release.frozen_phases?.map((phase) => phase.devices),
      packages: release.packages_pinned?.map(({ name, version, indexDigest }) => ({
        name,
        version,
        index: indexDigest,
      })),
    }
    const subject = { kind: 'rollout', id: String(rolloutId) }
    const before = { state: release.state }
    await record(tx, { actor, at: now, did: 'rollout.started', subject, releaseId, before, after })
    return ok(releaseId)
  })
}

type NotAuthorised = Refusal<'release-not-authorised'>

async function notAuthorised(
  tx: Db,
  published: RepositoryDraft,
  { id, state }: Pick<ReleaseRecord, 'id' | 'state'>,
): Promise<NotAuthorised> {
  const common = { rule: 'release-not-authorised', lifter: 'the release board' } as const
  if (state === 'accepting') {
    const next = 'Ask the members who have not signed yet, or take the question back.'
    const cases = await listCases(tx, published, { releaseId: id as ReleaseId, state: 'open' })
    const standing = cases.map(
      ({ id: open, signatures, threshold }) => ` ${open} has ${signatures} of ${threshold} signatures.`,
    )
    return {
      ...common,
      fact: `The release board was asked about ${id} and has not said Go yet.${standing.join('')}`,
      next,
    }
  }
  if (state === 'draft' || state === 'planned') {
    return { ...common, fact: `The release board was not asked about ${id}.`, next: 'Ask the release board for a Go.' }
  }
  return { ...common, fact: `${id} is ${state}.`, next: 'Look at the release; somebody may have been faster.' }
}

function notListed({ id }: ReleaseRecord): NotAuthorised {
  return {
    rule: 'release-not-authorised',
    fact: `No board lists ${id} with the bytes that were frozen.`,
    lifter: 'the release board',
    next: 'Look at the case of the release: it was withdrawn, or its Go is not published yet.',
  }
}

async function begin(tx: Db, release: ReleaseRecord, path: string, now: Temporal.Instant): Promise<number> {
  const members = await findFrozenMembers(tx, release.id)
  assert(members !== undefined, `the authorised release ${release.id} is frozen`)
  const rolloutId = await insertRollout(tx, release, path, members, now)
  await insertPhases(tx, rolloutId, release, now)
  await setReleaseState(tx, release.id, 'rolling-out', now.toString())
  await wake(tx, 'rollout', String(rolloutId), now)
  return rolloutId
}

async function insertRollout(
  tx: Db,
  release: ReleaseRecord,
  path: string,
  members: Uint8Array,
  now: Temporal.Instant,
): Promise<number> {
  const row = await tx
    .insertInto('rollout')
    .values({
      release_id: release.id,
      path,
      state: 'running',
      state_since: now.toString(),
      audience_mode: release.plan.audience.mode,
      audience_query: release.plan.audience.query,
      members: Buffer.from(members),
      started_at: now.toString(),
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  return row.id
}

async function insertPhases(
  tx: Db,
  rolloutId: number,
  { plan, frozen_phases: frozen }: ReleaseRecord,
  now: Temporal.Instant,
): Promise<void> {
  const rows = plan.phases.map((phase, at) => ({
    rollout_id: rolloutId,
    ord: at + 1,
    name: phase.name,
    query: phase.query,
    size: frozen?.[at]?.devices ?? 0,
    state: 'waiting' as const,
    state_since: now.toString(),
    advance_at_permille: phase.advanceAtPermille,
    success_permille_min: phase.successPermilleMin,
    failure_budget: phase.failureBudget,
    in_flight_max: phase.inFlightMax,
    soak_seconds: phase.soakSeconds,
    silence_budget: phase.silenceBudget,
    not_before: frozen?.[at]?.notBefore ?? null,
    not_after: frozen?.[at]?.notAfter ?? null,
    audience_root: frozen?.[at]?.audienceRoot ?? null,
  }))
  await tx.insertInto('phase').values(rows).execute()
}
