import type { Refusal } from '@bascule/domain/lib/result.ts'
import { canonicalJson } from '@bascule/trust/canonical.ts'
import { expiryFrom } from '@bascule/trust/envelope.ts'
import { makeDraft, noVersion, verifiedVersionOf } from '@bascule/trust/tuf/draft.ts'
import { roleNameFrom } from '@bascule/trust/tuf/names.ts'
import type { RepositoryDraft } from '@bascule/trust/tuf/repository-state.ts'
import type { Db } from '#/platform/db/database.ts'
import { wake } from '#/platform/jobs/timer.ts'
import { record } from '#/platform/ledger/record.ts'
import { system } from '#/platform/lib/actor.ts'
import { decisionOfCase } from '../case/case-decision.ts'
import { changeCase, findCase } from '../case/case.store.ts'
import { endUndecided } from '../case/end-case.ts'
import { type DraftRow, insertDraft, lockOpenDrafts, updateDraft } from './draft.store.ts'
import type { StoredDocument } from './draft.tables.ts'

export const draftTimer = 'draft'

/**
 * Puts the queues in order after anything changed: what no longer fits the published version is superseded, and each
 * role that is free gets the documents of its oldest waiting draft. The caller holds the lock of decisions.
 */
export async function arrangeDrafts(tx: Db, state: RepositoryDraft, now: Temporal.Instant): Promise<void> {
  for (const draft of await lockOpenDrafts(tx)) {
    if (draft.state === 'signing' && !fits(state, draft.documents, now)) await supersede(tx, state, draft, now)
  }
  const busy = new Set<string>()
  for (const draft of await lockOpenDrafts(tx)) {
    if (draft.kind !== 'decision') continue
    const isFree = draft.roles.every((role) => !busy.has(role))
    const collects = draft.state === 'signing' || (isFree && (await giveDocuments(tx, state, draft, now)))
    // A stop never waits behind another one: it takes one signature, and it takes it now.
    if (collects) draft.roles.filter((role) => roleNameFrom(role)?.kind !== 'stop').forEach((role) => busy.add(role))
  }
}

/** Whether these documents are what comes next, and still live. */
export function fits(state: RepositoryDraft, documents: readonly StoredDocument[], now: Temporal.Instant): boolean {
  return documents.every(({ role, signed }) => {
    const before = role === 'root' ? state.root : state.roles[role]
    const expiresAt = expiryFrom(signed.expires)
    const isAlive = expiresAt !== undefined && Temporal.Instant.compare(expiresAt, now) > 0
    return isAlive && signed.version === (before?.signed.version ?? 0) + 1
  })
}

/** Whether exactly these documents are published, whoever of the members has signed them there. */
export function isPublished(state: RepositoryDraft, documents: readonly StoredDocument[]): boolean {
  return documents.every(({ role, signed }) => {
    const present = role === 'root' ? state.root : state.roles[role]
    return present !== undefined && canonicalJson(present.signed) === canonicalJson(signed)
  })
}

/** Somebody else's version came first. A question goes back to its place in the queue; a change of people is made anew. */
async function supersede(tx: Db, state: RepositoryDraft, draft: DraftRow, now: Temporal.Instant): Promise<void> {
  const isExpired = draft.documents.some(({ signed }) => {
    const expiresAt = expiryFrom(signed.expires)
    return expiresAt !== undefined && Temporal.Instant.compare(expiresAt, now) <= 0
  })
  await updateDraft(tx, draft.id, {
    state: isExpired ? 'expired' : 'superseded',
    ...(draft.kind === 'decision' ? {} : { refusal: overtaken(state, draft) }),
  })
  const subject = { kind: 'draft', id: draft.id }
  await record(tx, { actor: system, at: now, did: `draft.${isExpired ? 'expired' : 'superseded'}`, subject })
  if (draft.case_id === null) return
  const { title, roles, proposed_at: proposedAt } = draft
  const proposedBy = { kind: 'person', id: draft.proposed_by_id, name: draft.proposed_by } as const
  const again = {
    kind: draft.kind,
    title,
    state: 'queued',
    caseId: draft.case_id,
    roles,
    documents: [],
    proposedBy,
  } as const
  await insertDraft(tx, again, proposedAt)
}

/** Makes the documents of a draft whose turn it is; false when its question has no answer any more. */
async function giveDocuments(tx: Db, state: RepositoryDraft, draft: DraftRow, now: Temporal.Instant): Promise<boolean> {
  const asked = draft.case_id === null ? undefined : await findCase(tx, draft.case_id)
  if (!asked) throw new Error(`The draft ${draft.id} waits for a case that is not there`)
  const underWay = await releasesUnderWay(tx)
  const decision = decisionOfCase(asked, state, (id) => underWay.has(id))
  const before = state.roles[asked.role]?.signed
  const made = decision.ok
    ? makeDraft(before ? verifiedVersionOf(asked.role, before) : noVersion(asked.role), decision.value, now)
    : decision
  if (!decision.ok || !made.ok) {
    const refusal = made.ok ? undefined : made.error
    await updateDraft(tx, draft.id, { state: 'superseded', ...(refusal ? { refusal } : {}) })
    await endUndecided(tx, asked, { to: 'superseded', because: refusal?.fact ?? '', actor: system, now })
    return false
  }
  const documents = [{ role: asked.role, decision: decision.value, signed: made.value }]
  await updateDraft(tx, draft.id, { state: 'signing', documents, refusal: null })
  await changeCase(tx, asked.id, { decision: decision.value })
  await record(tx, {
    actor: system,
    at: now,
    did: 'draft.opened',
    subject: { kind: 'draft', id: draft.id },
    releaseId: asked.release_id,
    after: { role: asked.role, version: made.value.version },
  })
  await wake(tx, draftTimer, draft.id, now)
  return true
}

/** A release that devices are just getting does not leave its list, however old it is. */
async function releasesUnderWay(tx: Db): Promise<Set<string>> {
  const rows = await tx
    .selectFrom('release')
    .select('id')
    .where('state', 'in', ['authorised', 'rolling-out', 'backing-out'])
    .execute()
  return new Set(rows.map(({ id }) => id))
}

function overtaken(state: RepositoryDraft, { documents }: DraftRow): Refusal {
  const passed = documents.find(({ role, signed }) => {
    const version = (role === 'root' ? state.root : state.roles[role])?.signed.version ?? 0
    return version >= signed.version
  })
  return {
    rule: 'draft-is-the-next-version',
    fact: passed
      ? `Another version ${passed.signed.version} of ${passed.role} was published first.`
      : 'A document of this draft has expired.',
    lifter: 'Whoever proposed it',
    next: 'Make the change again over what is published now.',
  }
}
