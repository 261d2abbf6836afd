import type { Refusal } from '@bascule/domain/lib/result.ts'
import { expiryFrom } from '@bascule/trust/envelope.ts'
import type { Documents } from '@bascule/trust/tuf/publish.ts'
import type { RepositoryDraft } from '@bascule/trust/tuf/repository-state.ts'
import type { Db } from '#/platform/db/database.ts'
import { publish } from '#/platform/events/publish.ts'
import type { Reconciler } from '#/platform/jobs/worker.ts'
import { record } from '#/platform/ledger/record.ts'
import { system } from '#/platform/lib/actor.ts'
import type { SignerClient } from '#/platform/signer-client.ts'
import type { SignedRepository } from '../authority/signed-repository.ts'
import { lockCase, lockDecisions } from '../case/case.store.ts'
import { concludeCase } from '../case/conclude-case.ts'
import { arrangeDrafts, fits, isPublished } from './draft-queue.ts'
import { type DraftRow, findDraft, findSignatures, lockDraft, updateDraft } from './draft.store.ts'
import { envelopeOf, isComplete } from './quorum.ts'

export interface PublishServices {
  readonly db: Db
  readonly signer: Pick<SignerClient, 'publish'>
  readonly repository: Pick<SignedRepository, 'refresh' | 'state'>
}

/** A refusal of the signer may end by itself, for example when its clock is set right. */
const tryAgainAfter = Temporal.Duration.from({ minutes: 10 })

/**
 * Carries a draft to the signer once every document has its quorum. What the signer has published is looked at first:
 * a server that was killed between the publication and its commit finds it there and only writes it down.
 */
export function draftReconciler({ db, signer, repository }: PublishServices): Reconciler {
  return async (key, { now, log }) => {
    const draft = await findDraft(db, key)
    if (draft?.state !== 'signing') return undefined
    await repository.refresh()
    const signatures = (await findSignatures(db, [draft.id])).map((one) => ({ ...one, keyid: one.key_id }))
    if (isPublished(repository.state, draft.documents)) return await conclude(db, repository.state, draft, now)
    if (!fits(repository.state, draft.documents, now)) return await rearrange(db, repository.state, now)
    if (!isComplete(repository.state, draft.documents, signatures)) return { next: endOf(draft) }
    const documents = draft.documents.map((document) => [document.role, envelopeOf(document, signatures)] as const)
    const published = await signer.publish(Object.fromEntries(documents) as Documents)
    if (!published.ok) {
      log.warn({ draft: draft.id, refusal: published.error }, 'the signer does not publish a draft')
      await keepRefusal(db, draft, published.error, now)
      return { next: now.add(tryAgainAfter) }
    }
    await repository.refresh()
    await conclude(db, repository.state, draft, now)
    return undefined
  }
}

/** Writes down what is published: the draft is done, its question is decided, and the next one gets its turn. */
async function conclude(db: Db, state: RepositoryDraft, { id }: DraftRow, now: Temporal.Instant): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await lockDecisions(tx)
    const draft = await lockDraft(tx, id)
    if (draft?.state !== 'signing') return
    await updateDraft(tx, id, { state: 'published', publishedAt: now, refusal: null })
    const asked = draft.case_id === null ? undefined : await lockCase(tx, draft.case_id)
    const version = await record(tx, {
      actor: system,
      at: now,
      did: 'draft.published',
      subject: { kind: 'draft', id },
      ...(asked ? { releaseId: asked.release_id } : {}),
      after: { documents: draft.documents.map(({ role, signed }) => ({ role, version: signed.version })) },
    })
    await publish(tx, [{ entity: 'authority', id: '*', version: String(version) }])
    if (asked?.state === 'open') await concludeCase(tx, state, asked, now)
    await arrangeDrafts(tx, state, now)
  })
}

async function rearrange(db: Db, state: RepositoryDraft, now: Temporal.Instant): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await lockDecisions(tx)
    await arrangeDrafts(tx, state, now)
  })
}

async function keepRefusal(db: Db, { id, refusal }: DraftRow, error: Refusal, now: Temporal.Instant): Promise<void> {
  if (refusal?.rule === error.rule && refusal.fact === error.fact) return
  await db.transaction().execute(async (tx) => {
    const draft = await lockDraft(tx, id)
    if (draft?.state !== 'signing') return
    await updateDraft(tx, id, { refusal: error })
    await record(tx, { actor: system, at: now, did: 'draft.refused', subject: { kind: 'draft', id }, after: error })
  })
}

/** When the first of the documents ends. */
function endOf({ documents }: DraftRow): Temporal.Instant | undefined {
  return documents
    .flatMap(({ signed }) => expiryFrom(signed.expires) ?? [])
    .toSorted((one, other) => Temporal.Instant.compare(one, other))
    .at(0)
}
