import type { draft } from '@bascule/contract/decide/draft.ts'
import type { DraftView } from '@bascule/contract/decide/signing.ts'
import { ok, type Refusal } from '@bascule/domain/lib/result.ts'
import type { RepositoryDraft } from '@bascule/trust/tuf/repository-state.ts'
import type { InferContractRouterInputs } from '@orpc/contract'
import type { Db } from '#/platform/db/database.ts'
import { publish } from '#/platform/events/publish.ts'
import type { Call } from '#/platform/http/os.ts'
import { wake } from '#/platform/jobs/timer.ts'
import { record } from '#/platform/ledger/record.ts'
import { allow } from '#/platform/lib/actor.ts'
import { type Answer, notFound, refused } from '#/platform/lib/answer.ts'
import type { SignedRepository } from '../authority/signed-repository.ts'
import { lockDecisions } from '../case/case.store.ts'
import { checkProposal } from './check-proposal.ts'
import { arrangeDrafts, draftTimer } from './draft-queue.ts'
import {
  type DraftRow,
  findDraft,
  findDrafts,
  findSignatures,
  insertDraft,
  insertSignatures,
  lockDraft,
  updateDraft,
} from './draft.store.ts'
import { draftViews } from './draft-view.ts'
import { problemOfKeyLevel } from './key-level.ts'
import { checkSignatures } from './quorum.ts'
import { findKeyOwners, ownerName } from './role-names.ts'

type Inputs = InferContractRouterInputs<typeof draft>
type Repository = Pick<SignedRepository, 'current'>

export async function listDrafts(db: Db, state: RepositoryDraft, filter: Inputs['list']): Promise<DraftView[]> {
  const views = await draftViews(db, state, await findDrafts(db, filter.state))
  const { keyId } = filter
  return keyId === undefined ? views : views.filter((view) => waitsFor(view, keyId))
}

/** Whether this key could still add a signature that counts. */
export function waitsFor({ state, documents }: DraftView, keyId: string): boolean {
  if (state !== 'signing') return false
  return documents.some(({ members }) => members.some((one) => one.keyId === keyId && !one.hasSigned))
}

export async function getDraft(db: Db, state: RepositoryDraft, id: string): Promise<Answer<DraftView>> {
  const row = await findDraft(db, id)
  const [view] = row ? await draftViews(db, state, [row]) : []
  return view ? ok(view) : notFound('draft')
}

/** Takes documents that a ceremony or a change of a board has made, with the signatures that they have already. */
export async function proposeDraft(
  call: Call,
  repository: Repository,
  input: Inputs['propose'],
): Promise<Answer<DraftView>> {
  const { db, actor, now } = call
  const allowed = allow(actor, 'authority.write', {})
  if (!allowed.ok) return allowed
  const state = await repository.current()
  const checked = checkProposal(state, input.documents, now)
  if (!checked.ok) return refused(checked.error)
  const documents = checked.value
  const given = input.documents.flatMap(({ role, signatures }) => signatures.map((one) => ({ role, ...one })))
  const fitting = checkSignatures(state, documents, [], given)
  if (!fitting.ok) return refused(fitting.error)
  const tooLow = await problemOfKeyLevel(db, state, documents, given)
  if (tooLow) return refused(tooLow)
  return await db.transaction().execute(async (tx) => {
    await lockDecisions(tx)
    const { title, kind } = input
    const roles = documents.map(({ role }) => role)
    const row = await insertDraft(
      tx,
      { kind, title, state: 'signing', caseId: null, roles, documents, proposedBy: actor },
      now,
    )
    await keepSignatures(tx, row, given, now)
    const subject = { kind: 'draft', id: row.id }
    await record(tx, { actor, at: now, did: 'draft.proposed', subject, after: { kind, title, roles } })
    await wake(tx, draftTimer, row.id, now)
    return await viewOf(tx, state, row)
  })
}

/**
 * Attaches signatures, wherever they were made. They are kept also beyond the quorum and after the publication, as
 * evidence of who agreed; what was published never changes because of them.
 */
export async function signDraft(call: Call, repository: Repository, input: Inputs['sign']): Promise<Answer<DraftView>> {
  const { db, actor, now } = call
  const allowed = allow(actor, 'board.vote', {})
  if (!allowed.ok) return allowed
  return await db.transaction().execute(async (tx) => {
    await lockDecisions(tx)
    const state = await repository.current()
    const row = await lockDraft(tx, input.draftId)
    if (!row) return notFound('draft')
    if (row.state !== 'signing' && row.state !== 'published') return refused(notToBeSigned(row))
    const had = (await findSignatures(tx, [row.id])).map(({ role, key_id: keyid, sig }) => ({ role, keyid, sig }))
    const fitting = checkSignatures(state, row.documents, had, input.signatures)
    if (!fitting.ok) return refused(fitting.error)
    const tooLow = await problemOfKeyLevel(tx, state, row.documents, input.signatures)
    if (tooLow) return refused(tooLow)
    const names = await keepSignatures(tx, row, input.signatures, now)
    const version = await record(tx, {
      actor,
      at: now,
      did: 'draft.signed',
      subject: { kind: 'draft', id: row.id },
      after: { title: row.title, case: row.case_id, by: names },
    })
    if (row.case_id !== null) await publish(tx, [{ entity: 'case', id: row.case_id, version: String(version) }])
    await wake(tx, draftTimer, row.id, now)
    return await viewOf(tx, state, row)
  })
}

/** Takes a change of people back. A question is taken back on its case. */
export async function withdrawDraft(
  call: Call,
  repository: Repository,
  input: Inputs['withdraw'],
): Promise<Answer<DraftView>> {
  const { db, actor, now } = call
  const allowed = allow(actor, 'authority.write', {})
  if (!allowed.ok) return allowed
  return await db.transaction().execute(async (tx) => {
    await lockDecisions(tx)
    const state = await repository.current()
    const row = await lockDraft(tx, input.draftId)
    if (!row) return notFound('draft')
    if (row.case_id !== null) return refused(belongsToCase(row.case_id))
    if (row.state !== 'signing') return refused(notToBeSigned(row))
    await updateDraft(tx, row.id, { state: 'withdrawn' })
    const subject = { kind: 'draft', id: row.id }
    await record(tx, { actor, at: now, did: 'draft.withdrawn', subject, after: { reason: input.reason } })
    await arrangeDrafts(tx, state, now)
    return await viewOf(tx, state, { ...row, state: 'withdrawn' })
  })
}

type Given = readonly { readonly role: string; readonly keyid: string; readonly sig: string }[]

async function keepSignatures(tx: Db, { id }: DraftRow, given: Given, now: Temporal.Instant): Promise<string[]> {
  const owners = await findKeyOwners(tx)
  const named = given.map((one) => ({ ...one, name: ownerName(owners, one.keyid) }))
  await insertSignatures(tx, id, named, now)
  return [...new Set(named.map(({ name }) => name))]
}

async function viewOf(tx: Db, state: RepositoryDraft, row: DraftRow): Promise<Answer<DraftView>> {
  const [view] = await draftViews(tx, state, [row])
  return view ? ok(view) : notFound('draft')
}

function notToBeSigned({ title, state }: DraftRow): Refusal {
  const isQueued = state === 'queued'
  return {
    rule: 'draft-is-to-be-signed',
    fact: isQueued ? `"${title}" waits until the draft before it is done.` : `"${title}" is ${state}.`,
    lifter: isQueued ? 'Whoever signs the draft before it' : 'Nobody',
    next: isQueued ? 'Sign or withdraw the draft before it first.' : 'Look for the draft that took its place.',
  }
}

function belongsToCase(caseId: string): Refusal {
  return {
    rule: 'draft-has-no-case',
    fact: `This draft is the question of ${caseId}.`,
    lifter: 'Whoever asked',
    next: `Take ${caseId} back.`,
  }
}
