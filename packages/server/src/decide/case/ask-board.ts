import type { BlobStore } from '@bascule/content/blobs/blob-store.ts'
import type { CaseId, ReleaseId } from '@bascule/domain/lib/ids.ts'
import { ok, type Refusal } from '@bascule/domain/lib/result.ts'
import { emergencyRoleName, targetPathText } from '@bascule/trust/tuf/names.ts'
import { type RepositoryDraft, trustedKeysOf } from '@bascule/trust/tuf/repository-state.ts'
import { type FrozenRelease, freezeRelease } from '#/plan/release/freeze-release.ts'
import { lockRelease, type ReleaseRecord } from '#/plan/release/release.service.ts'
import type { Db } from '#/platform/db/database.ts'
import { writeWithin } from '#/platform/db/read-within.ts'
import type { Call } from '#/platform/http/os.ts'
import { allow } from '#/platform/lib/actor.ts'
import { type Answer, notFound, refused } from '#/platform/lib/answer.ts'
import { lineRoleIn, type SignedRepository } from '../authority/signed-repository.ts'
import { targetOf } from './case-decision.ts'
import { findCases, lockDecisions } from './case.store.ts'
import type { AskedFor } from './case.tables.ts'
import { endUndecided } from './end-case.ts'
import { openCase, type Question } from './open-case.ts'

export interface AskServices {
  readonly repository: Pick<SignedRepository, 'current'>
  readonly blobs: BlobStore
}

export interface AskInput {
  readonly releaseId: ReleaseId
  readonly path: 'normal' | 'emergency'
  readonly reason?: string | null | undefined
}

/** Freezes a release as it is planned now and asks its board for a Go. */
export async function askBoard(call: Call, services: AskServices, input: AskInput): Promise<Answer<CaseId>> {
  const { db, actor, now } = call
  const allowed = allow(actor, 'release.write', {})
  if (!allowed.ok) return allowed
  const { repository, blobs } = services
  return await writeWithin(db, async (tx, ask) => {
    const release = await lockRelease(tx, input.releaseId)
    if (!release) return notFound('release')
    const place = placeOf(await repository.current(), release, input.path)
    if ('rule' in place) return refused(place)
    const frozen = await freezeRelease(tx, ask, blobs, release, now)
    if (!frozen.ok) return frozen
    await lockDecisions(tx)
    await dropDeferred(tx, call, input.releaseId)
    const state = await repository.current()
    const asked = await openCase(tx, state, questionOf(release, frozen.value, place, input), actor, now)
    return ok(asked.id)
  })
}

/** What a case keeps of a release that was just frozen. */
export function askedForOf({ plan }: ReleaseRecord, frozen: FrozenRelease): AskedFor {
  const { title, version, productLine, autoBackout, mayRemove, backOut, audience } = plan
  return {
    ...frozen,
    title,
    version,
    productLine,
    autoBackout,
    mayRemove,
    backOut,
    isDynamic: audience.mode === 'dynamic',
  }
}

interface Place {
  readonly board: string
  readonly role: string
}

function placeOf(state: RepositoryDraft, release: ReleaseRecord, path: AskInput['path']): Place | Refusal {
  if (!state.root) return noAuthority
  const line = lineRoleIn(state, release.product_line)
  if (!line) return noBoard(release.product_line)
  if (path === 'normal') return line
  const role = emergencyRoleName(line.board)
  return trustedKeysOf(state, role) ? { board: line.board, role } : noEmergency(line.board)
}

function questionOf(release: ReleaseRecord, frozen: FrozenRelease, place: Place, input: AskInput): Question {
  const { releaseId } = input
  const askedFor = askedForOf(release, frozen)
  const path = targetPathText({
    board: place.board,
    line: release.product_line,
    kind: input.path,
    release: releaseId,
  })
  const target = targetOf(releaseId, askedFor)
  const decision =
    input.path === 'normal'
      ? ({ kind: 'go', path, target, retires: [], returns: [] } as const)
      : ({ kind: 'emergency', path, target } as const)
  return { ...place, kind: decision.kind, releaseId, path, decision, askedFor, reason: input.reason ?? null }
}

/** A new question takes the place of one that was put off. */
async function dropDeferred(tx: Db, { actor, now }: Call, releaseId: ReleaseId): Promise<void> {
  const deferred = await findCases(tx, { releaseId, states: ['deferred'], kinds: ['go', 'emergency'] })
  for (const one of deferred) {
    await endUndecided(tx, one, { to: 'superseded', because: 'The board was asked again.', actor, now })
  }
}

export const noAuthority: Refusal = {
  rule: 'authority-is-set-up',
  fact: 'There is no release board yet, so no device would believe a decision.',
  lifter: 'The custodians of the keys',
  next: 'Hold the first ceremony: bascule trust init.',
}

function noBoard(line: string): Refusal {
  return {
    rule: 'line-has-a-board',
    fact: `No board decides about the product line ${line}.`,
    lifter: 'The members of a board',
    next: `Let a board take the line: bascule trust add-line ${line}.`,
  }
}

function noEmergency(board: string): Refusal {
  return {
    rule: 'board-has-an-emergency-role',
    fact: `The board ${board} has no quorum for emergencies.`,
    lifter: 'The members of the board',
    next: 'Ask on the normal path.',
  }
}
