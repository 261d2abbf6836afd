import type { CaseRow, CaseView, VoteView } from '@bascule/contract/decide/case.ts'
import { type WhatDevicesMayDo, devicesMayNow, whatIsAsked } from '@bascule/domain/decide/what-devices-may-do.ts'
import { roles as roleDefinitions } from '@bascule/domain/estate/role.ts'
import type { CaseState } from '@bascule/domain/decide/case.ts'
import { notMetOf } from '@bascule/domain/decide/not-met.ts'
import type { Refusal } from '@bascule/domain/lib/result.ts'
import type { CaseId, ReleaseId } from '@bascule/domain/lib/ids.ts'
import { ok } from '@bascule/domain/lib/result.ts'
import { targetPathFrom } from '@bascule/trust/tuf/names.ts'
import type { RepositoryDraft } from '@bascule/trust/tuf/repository-state.ts'
import type { Db } from '#/platform/db/database.ts'
import type { Call } from '#/platform/http/os.ts'
import { type Answer, notFound } from '#/platform/lib/answer.ts'
import '#/estate/role/role.tables.ts'
import { draftViews } from '../draft/draft-view.ts'
import { delegationOf, findKeyOwners, type KeyOwners, ownerName } from '../draft/role-names.ts'
import { liveReleases, stoppedReleases } from './case-decision.ts'
import { findCase, findCases } from './case.store.ts'
import { type CaseSeen, goCount, seeCase, seeCases } from './votes.ts'

export interface CaseListFilter {
  readonly state?: CaseState | undefined
  readonly releaseId?: ReleaseId | undefined
  readonly keyId?: string | undefined
}

export async function listCases(db: Db, state: RepositoryDraft, filter: CaseListFilter): Promise<CaseRow[]> {
  const { keyId, releaseId } = filter
  const states = filter.state ? [filter.state] : undefined
  const seen = await seeCases(db, state, await findCases(db, { states, releaseId }))
  return seen.filter((one) => keyId === undefined || waitsForKey(one, keyId)).map(caseRow)
}

export async function viewCase(
  { db, now }: Pick<Call, 'db' | 'now'>,
  state: RepositoryDraft,
  id: CaseId,
): Promise<Answer<CaseView>> {
  const asked = await findCase(db, id)
  if (!asked) return notFound('case')
  const seen = await seeCase(db, state, asked)
  const owners = await findKeyOwners(db)
  const [draft = null] = seen.draft ? await draftViews(db, state, [seen.draft]) : []
  const votes = votesIn(seen, state, owners, await rolesOfPeople(db, seen, owners))
  const facts = factsOf(seen, state)
  return ok({
    ...caseRow(seen),
    ...whatWasAsked(seen),
    returnsTo: [...facts.returnsTo],
    votes,
    dissent: votes.flatMap(({ said, name, reason }) =>
      said === 'no-go' || said === 'defer' ? [{ name, reason: reason ?? '' }] : [],
    ),
    notMet: notMetIn(seen, votes, owners, now),
    asks: whatIsAsked(facts),
    devicesMayNow: devicesMayNow(facts),
    draft,
  })
}

export function caseRow(seen: CaseSeen): CaseRow {
  const { asked, quorum } = seen
  return {
    id: asked.id,
    kind: asked.kind,
    state: asked.state,
    releaseId: asked.release_id,
    title: asked.asked_for.title,
    version: asked.asked_for.version,
    board: asked.board,
    role: asked.role,
    askedBy: asked.asked_by,
    askedAt: asked.asked_at.toString(),
    decidedAt: asked.decided_at?.toString() ?? null,
    signatures: goCount(seen),
    threshold: quorum.threshold,
  }
}

function waitsForKey({ asked, quorum, votes, draft }: CaseSeen, keyId: string): boolean {
  const isMember = Object.hasOwn(quorum.keys, keyId) && !votes.has(keyId)
  return isMember && asked.state === 'open' && draft?.state === 'signing'
}

function whatWasAsked({ asked }: CaseSeen) {
  const { productLine, manifestSha256, counter, audience, phases, packages, autoBackout, mayRemove } = asked.asked_for
  return {
    reason: asked.reason,
    productLine,
    path: asked.path,
    manifestSha256,
    counter,
    audience,
    phases: phases.map(({ order, name, devices, audienceRoot, notBefore, notAfter }) => ({
      order,
      name,
      devices,
      notBefore,
      notAfter,
      serverDecidesWho: audienceRoot === null && devices > 0,
    })),
    packages: packages.map(({ name, version }) => ({ name, version })),
    autoBackout,
    mayRemove,
  }
}

function votesIn(
  { asked, quorum, votes }: CaseSeen,
  state: RepositoryDraft,
  owners: KeyOwners,
  rolesOf: ReadonlyMap<string, readonly string[]>,
): VoteView[] {
  const levels = delegationOf(state, asked.role)?.['x-levels'] ?? {}
  return Object.keys(quorum.keys).map((keyId) => {
    const vote = votes.get(keyId)
    return {
      keyId,
      name: ownerName(owners, keyId),
      level: levels[keyId] ?? null,
      roles: [...(rolesOf.get(owners.get(keyId)?.personId ?? '') ?? [])],
      said: vote?.said ?? 'nothing-yet',
      reason: vote?.reason ?? null,
      untilOn: vote?.untilOn ?? null,
      at: vote?.at.toString() ?? null,
    }
  })
}

/** What a careful member would ask about; of no use once the question is over. */
function notMetIn(
  { asked, quorum }: CaseSeen,
  votes: readonly VoteView[],
  owners: KeyOwners,
  now: Temporal.Instant,
): Refusal[] {
  if (asked.state !== 'open' && asked.state !== 'go') return []
  return notMetOf({
    kind: asked.kind,
    role: asked.role,
    askedById: asked.asked_by_id,
    askedBy: asked.asked_by,
    threshold: quorum.threshold,
    members: votes.map(({ keyId, name, level, said }) => {
      const personId = owners.get(keyId)?.personId ?? null
      return { keyId, personId, name, level, hasSigned: said === 'go' }
    }),
    phases: asked.asked_for.phases,
    now: now.toString(),
  })
}

/** Titles of the roles that the members have here, by person. */
async function rolesOfPeople(db: Db, { quorum }: CaseSeen, owners: KeyOwners): Promise<Map<string, string[]>> {
  const people = Object.keys(quorum.keys).flatMap((keyId) => owners.get(keyId)?.personId ?? [])
  if (people.length === 0) return new Map()
  const rows = await db
    .selectFrom('role_grant')
    .select(['person_id', 'role'])
    .distinct()
    .where('person_id', 'in', people)
    .where('revoked_at', 'is', null)
    .orderBy('role')
    .execute()
  const byPerson = Map.groupBy(rows, (row) => row.person_id)
  return new Map([...byPerson].map(([id, own]) => [id, own.map(({ role }) => roleDefinitions[role].title)]))
}

/** What the sentences about a case are made of: what is asked, and what is published now. */
function factsOf(seen: CaseSeen, state: RepositoryDraft): WhatDevicesMayDo {
  const { asked, quorum } = seen
  const { asked_for: askedFor, decision, kind } = asked
  const listed = liveReleases(state, asked.role).find(({ path }) => path === asked.path)
  const isStopped = stoppedReleases(state, asked.board).has(asked.release_id)
  return {
    kind,
    state: asked.state,
    release: asked.release_id,
    title: `${askedFor.title} ${askedFor.version}`,
    audience: askedFor.audience,
    phases: askedFor.phases.map(({ order, devices, notBefore }) => ({ order, devices, notBefore })),
    isListed: listed !== undefined && listed.target.hashes.sha256 === askedFor.manifestSha256,
    isStopped,
    serverDecidesWho: askedFor.isDynamic,
    returnsTo: kind === 'go' && decision.kind === 'go' ? decision.returns.flatMap(releaseAt) : [],
    retires: decision.kind === 'go' ? decision.retires.flatMap(releaseAt) : [],
    backOutFrom: decision.kind === 'back-out-from' ? decision.from : null,
    autoBackout: askedFor.autoBackout,
    mayRemove: askedFor.mayRemove,
    signatures: goCount(seen),
    threshold: quorum.threshold,
    deferredUntil: asked.deferred_until?.toString() ?? null,
    expiresAt: state.roles[asked.role]?.signed.expires ?? null,
  }
}

function releaseAt(path: string): string[] {
  const at = targetPathFrom(path)
  return at ? [at.release] : []
}
