import type { StatementInput } from '@bascule/contract/decide/case.ts'
import { outcomeOf } from '@bascule/domain/decide/case.ts'
import type { CaseId } from '@bascule/domain/lib/ids.ts'
import { ok, type Refusal, type Result, refuse } from '@bascule/domain/lib/result.ts'
import { type StatementSigned, verifyStatement } from '@bascule/trust/statement.ts'
import { type RepositoryDraft, trustedKeysOf } from '@bascule/trust/tuf/repository-state.ts'
import type * as z from 'zod'
import type { Db } from '#/platform/db/database.ts'
import type { Call } from '#/platform/http/os.ts'
import { wake } from '#/platform/jobs/timer.ts'
import { record } from '#/platform/ledger/record.ts'
import { allow } from '#/platform/lib/actor.ts'
import { type Answer, badInput, notFound, refused } from '#/platform/lib/answer.ts'
import type { SignedRepository } from '../authority/signed-repository.ts'
import { arrangeDrafts } from '../draft/draft-queue.ts'
import { withdrawDraftOf } from '../draft/draft-of-case.ts'
import { problemOfKeyLevel } from '../draft/key-level.ts'
import { findKeyOwners, ownerName } from '../draft/role-names.ts'
import { caseTimer, type CaseRecord, insertStatement, lockCase, lockDecisions } from './case.store.ts'
import { endUndecided } from './end-case.ts'
import { hasSignedDraft, seeCase } from './votes.ts'

type Repository = Pick<SignedRepository, 'current'>

export interface SayInput {
  readonly caseId: CaseId
  readonly statement: z.infer<typeof StatementInput>
}

/** Records a signed no-go or deferral; when too few signatures are still possible, the question ends without a Go. */
export async function sayToCase(call: Call, repository: Repository, input: SayInput): Promise<Answer<CaseId>> {
  const { db, actor, now } = call
  const allowed = allow(actor, 'board.vote', {})
  if (!allowed.ok) return allowed
  return await db.transaction().execute(async (tx) => {
    await lockDecisions(tx)
    const state = await repository.current()
    const asked = await lockCase(tx, input.caseId)
    if (!asked) return notFound('case')
    if (asked.state !== 'open') return refused(notOpen(asked))
    const said = readStatement(state, asked, input.statement)
    if (!said.ok) return refused(said.error)
    if (said.value.kind === 'defer' && !isAfter(said.value.untilOn, now)) {
      return badInput({ field: 'statement.signed.untilOn', problem: 'is not a day after today' })
    }
    const refusal = await problemOfSpeaker(tx, state, asked, said.value.by)
    if (refusal) return refused(refusal)
    await keepStatement(tx, call, asked, said.value, input.statement)
    await closeWhenDecided(tx, state, asked, call)
    return ok(asked.id)
  })
}

/** Takes a question back before it is decided. */
export async function withdrawCase(
  call: Call,
  repository: Repository,
  { caseId, reason }: { readonly caseId: CaseId; readonly reason: string },
): Promise<Answer<CaseId>> {
  const { db, actor, now } = call
  const allowed = allow(actor, 'release.write', {})
  if (!allowed.ok) return allowed
  return await db.transaction().execute(async (tx) => {
    await lockDecisions(tx)
    const state = await repository.current()
    const asked = await lockCase(tx, caseId)
    if (!asked) return notFound('case')
    if (asked.state !== 'open' && asked.state !== 'deferred') return refused(notOpen(asked))
    await withdrawDraftOf(tx, caseId)
    await endUndecided(tx, asked, { to: 'superseded', because: reason, actor, now })
    await arrangeDrafts(tx, state, now)
    return ok(caseId)
  })
}

function readStatement(
  state: RepositoryDraft,
  asked: CaseRecord,
  statement: z.infer<typeof StatementInput>,
): Result<StatementSigned & { readonly kind: 'no-go' | 'defer' }, Refusal> {
  const keyId = statement.signatures[0]?.keyid ?? ''
  const keys = trustedKeysOf(state, asked.role)?.keys ?? {}
  const key = Object.hasOwn(keys, keyId) ? keys[keyId] : undefined
  if (!key) return refuse(notMember(asked, keyId))
  const verified = verifyStatement(statement, key)
  if (!verified.ok) return refuse(notAuthentic(verified.error.message))
  const said = verified.value
  if (said.kind !== 'no-go' && said.kind !== 'defer')
    return refuse(notAuthentic('It is neither a no-go nor a deferral.'))
  const isAboutIt = said.case === asked.id && said.release === asked.release_id
  const isTheseBytes = said.manifestSha256 === asked.asked_for.manifestSha256
  if (!isAboutIt || !isTheseBytes) return refuse(notAuthentic('It speaks of another case, release or manifest.'))
  return ok(said)
}

async function problemOfSpeaker(
  tx: Db,
  state: RepositoryDraft,
  asked: CaseRecord,
  keyId: string,
): Promise<Refusal | undefined> {
  if (await hasSignedDraft(tx, asked.id, keyId)) return signedAlready(keyId)
  return await problemOfKeyLevel(tx, state, [], [{ role: asked.role, keyid: keyId }])
}

async function keepStatement(
  tx: Db,
  { actor, now }: Call,
  asked: CaseRecord,
  said: StatementSigned & { readonly kind: 'no-go' | 'defer' },
  document: unknown,
): Promise<void> {
  const name = ownerName(await findKeyOwners(tx), said.by)
  await insertStatement(tx, {
    case_id: asked.id,
    key_id: said.by,
    kind: said.kind,
    document: JSON.stringify(document),
    by_name: name,
    at: now.toString(),
  })
  const { reason, kind } = said
  await record(tx, {
    actor,
    at: now,
    did: kind === 'defer' ? 'case.deferral-said' : 'case.no-go-said',
    subject: { kind: 'case', id: asked.id },
    releaseId: asked.release_id,
    after: { by: name, reason, ...(kind === 'defer' ? { untilOn: said.untilOn } : {}) },
  })
}

async function closeWhenDecided(
  tx: Db,
  state: RepositoryDraft,
  asked: CaseRecord,
  { now, actor }: Call,
): Promise<void> {
  const { votes, quorum } = await seeCase(tx, state, asked)
  const members = Object.keys(quorum.keys)
  const outcome = outcomeOf([...votes.values()], { members, threshold: quorum.threshold })
  if (outcome !== 'no-go' && outcome !== 'deferred') return
  await withdrawDraftOf(tx, asked.id)
  const days = [...votes.values()].flatMap(({ untilOn }) => untilOn ?? [])
  const latest = days.toSorted().at(-1)
  const because = [...votes.values()].flatMap(({ said, reason }) => (said === 'go' ? [] : (reason ?? []))).join(' ')
  if (outcome === 'no-go' || latest === undefined) {
    await endUndecided(tx, asked, { to: 'no-go', because, actor, now })
  } else {
    const deferredUntil = Temporal.PlainDate.from(latest)
    await endUndecided(tx, asked, { to: 'deferred', because, actor, now, deferredUntil })
    await wake(tx, caseTimer, asked.id, startOf(deferredUntil))
  }
  await arrangeDrafts(tx, state, now)
}

/** A deferral ends with the first moment of its day, in the time that all servers share. */
export function startOf(day: Temporal.PlainDate): Temporal.Instant {
  return day.toZonedDateTime('UTC').toInstant()
}

function isAfter(day: string, now: Temporal.Instant): boolean {
  return Temporal.Instant.compare(startOf(Temporal.PlainDate.from(day)), now) > 0
}

function notOpen({ id, state }: CaseRecord): Refusal {
  return {
    rule: 'case-is-open',
    fact: `${id} is ${state}.`,
    lifter: 'Nobody',
    next: 'Look at the case; somebody may have been faster.',
  }
}

function notMember({ role }: CaseRecord, keyId: string): Refusal {
  return {
    rule: 'not-a-member',
    fact: `The key ${keyId.slice(0, 12)} is not among the keys of ${role}.`,
    lifter: 'The governance quorum of the board',
    next: 'Speak with the key that the board lists for you.',
  }
}

function notAuthentic(fact: string): Refusal {
  return {
    rule: 'statement-is-authentic',
    fact,
    lifter: 'The member who speaks',
    next: 'Fetch the case again and sign a statement about it.',
  }
}

function signedAlready(keyId: string): Refusal {
  return {
    rule: 'signed-already',
    fact: `The key ${keyId.slice(0, 12)} has signed the Go; a signature cannot be unsaid.`,
    lifter: 'Nobody',
    next: 'Propose to withdraw or to stop the release.',
  }
}
