import type { BlobStore } from '@bascule/content/blobs/blob-store.ts'
import type { CaseId } from '@bascule/domain/lib/ids.ts'
import { freezeRelease } from '#/plan/release/freeze-release.ts'
import { lockRelease } from '#/plan/release/release.service.ts'
import type { Db } from '#/platform/db/database.ts'
import { type AskWithin, writeWithin } from '#/platform/db/read-within.ts'
import type { Reconciler } from '#/platform/jobs/worker.ts'
import { record } from '#/platform/ledger/record.ts'
import { system } from '#/platform/lib/actor.ts'
import { type Answer } from '#/platform/lib/answer.ts'
import { ok } from '@bascule/domain/lib/result.ts'
import type { RepositoryDraft } from '@bascule/trust/tuf/repository-state.ts'
import type { SignedRepository } from '../authority/signed-repository.ts'
import { arrangeDrafts } from '../draft/draft-queue.ts'
import { queueDraft } from '../draft/draft-of-case.ts'
import { askedForOf } from './ask-board.ts'
import { type CaseRecord, findCase, lockCase, lockDecisions, moveCase } from './case.store.ts'
import { startOf } from './case.service.ts'
import type { AskedFor } from './case.tables.ts'
import { lapseOf, recordCase } from './conclude-case.ts'
import { endUndecided, freezes } from './end-case.ts'
import { titleOf } from './open-case.ts'

export interface CaseServices {
  readonly db: Db
  readonly repository: Pick<SignedRepository, 'current'>
  readonly blobs: BlobStore
}

/**
 * Asks again what was put off, on its day, and says of an emergency that nobody ratified when it is over. The release is frozen anew, with the fleet and the library as they are then;
 * when that is not possible any more the question is over and its asker is told why.
 */
export function caseReconciler({ db, repository, blobs }: CaseServices): Reconciler {
  return async (key, { now }) => {
    const seen = await findCase(db, key as CaseId)
    if (seen?.kind === 'emergency' && seen.state === 'go') return await letLapse(db, repository, seen, now)
    if (seen?.state !== 'deferred' || seen.deferred_until === null) return undefined
    const due = startOf(seen.deferred_until)
    if (Temporal.Instant.compare(due, now) > 0) return { next: due }
    const state = await repository.current()
    await writeWithin(db, async (tx, ask) => await reopen(tx, ask, { state, blobs, id: seen.id, now }))
    return undefined
  }
}

/** The file of emergencies has ended: devices refuse what it lists by themselves, and the register says so. */
async function letLapse(
  db: Db,
  repository: CaseServices['repository'],
  { id }: CaseRecord,
  now: Temporal.Instant,
): Promise<{ readonly next?: Temporal.Instant } | undefined> {
  return await db.transaction().execute(async (tx) => {
    await lockDecisions(tx)
    const asked = await lockCase(tx, id)
    if (asked?.state !== 'go') return undefined
    const next = lapseOf(await repository.current(), asked)
    if (next && Temporal.Instant.compare(next, now) > 0) return { next }
    await moveCase(tx, asked, 'expired', now)
    await recordCase(tx, asked, 'expired', now)
    return undefined
  })
}

interface Reopening {
  readonly state: RepositoryDraft
  readonly blobs: BlobStore
  readonly id: CaseId
  readonly now: Temporal.Instant
}

async function reopen(tx: Db, ask: AskWithin, { state, blobs, id, now }: Reopening): Promise<Answer<true>> {
  const seen = await findCase(tx, id)
  const frozen = seen && freezes(seen) ? await freezeAgain(tx, ask, blobs, seen, now) : ok(undefined)
  await lockDecisions(tx)
  const asked = await lockCase(tx, id)
  if (asked?.state !== 'deferred') return ok(true)
  if (!frozen.ok) {
    const because = frozen.error.kind === 'refused' ? frozen.error.refusal.fact : 'The release cannot be asked about.'
    await endUndecided(tx, asked, { to: 'superseded', because, actor: system, now })
    return ok(true)
  }
  const askedFor = frozen.value ?? asked.asked_for
  await moveCase(tx, asked, 'open', now, { deferredUntil: null, askedFor })
  await record(tx, {
    actor: system,
    at: now,
    did: 'case.reopened',
    subject: { kind: 'case', id },
    releaseId: asked.release_id,
    before: { state: 'deferred' },
    after: { state: 'open', manifestSha256: askedFor.manifestSha256, counter: askedFor.counter },
  })
  const askedBy = { kind: 'person', id: asked.asked_by_id, name: asked.asked_by } as const
  const title = titleOf(asked.kind, asked.release_id, askedFor)
  await queueDraft(tx, { caseId: id, role: asked.role, title, askedBy }, now)
  await arrangeDrafts(tx, state, now)
  return ok(true)
}

async function freezeAgain(
  tx: Db,
  ask: AskWithin,
  blobs: BlobStore,
  { release_id: releaseId }: CaseRecord,
  now: Temporal.Instant,
): Promise<Answer<AskedFor>> {
  const release = await lockRelease(tx, releaseId)
  if (!release) throw new Error(`The release ${releaseId} of a case is not there`)
  const frozen = await freezeRelease(tx, ask, blobs, release, now)
  return frozen.ok ? ok(askedForOf(release, frozen.value)) : frozen
}
