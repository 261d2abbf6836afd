import type { CaseState } from '@bascule/domain/decide/case.ts'
import { unreachable } from '@bascule/domain/lib/result.ts'
import { expiryFrom } from '@bascule/trust/envelope.ts'
import { lineRoleName, targetPathFrom } from '@bascule/trust/tuf/names.ts'
import { type RepositoryDraft, trustedKeysOf } from '@bascule/trust/tuf/repository-state.ts'
import { unfreezeRelease } from '#/plan/release/freeze-release.ts'
import { lockRelease, setReleaseState } from '#/plan/release/release.service.ts'
import type { Db } from '#/platform/db/database.ts'
import { wake } from '#/platform/jobs/timer.ts'
import { record } from '#/platform/ledger/record.ts'
import { system } from '#/platform/lib/actor.ts'
import { liveReleases } from './case-decision.ts'
import { caseTimer, type CaseRecord, findCases, moveCase } from './case.store.ts'
import { openCase } from './open-case.ts'

/** What follows from a decision that is published. In the transaction that says so, under the lock of decisions. */
export async function concludeCase(
  tx: Db,
  state: RepositoryDraft,
  asked: CaseRecord,
  now: Temporal.Instant,
): Promise<void> {
  await moveCase(tx, asked, 'go', now, { decidedAt: now })
  await recordCase(tx, asked, 'go', now)
  switch (asked.kind) {
    case 'go':
      return await authorise(tx, asked, now)
    case 'emergency':
      await authorise(tx, asked, now)
      await wake(tx, caseTimer, asked.id, lapseOf(state, asked) ?? now)
      return await askToRatify(tx, state, asked, now)
    case 'ratify':
      return await endEarlier(tx, asked, ['emergency'], 'fulfilled', now)
    case 'withdraw':
      await endEarlier(tx, asked, ['go', 'emergency', 'ratify'], 'revoked', now)
      return await takeBack(tx, state, asked, now)
    case 'stop':
    case 'lift-stop':
    case 'open-phases':
    case 'back-out-from':
      return undefined
    default:
      return unreachable(asked.kind)
  }
}

async function authorise(tx: Db, asked: CaseRecord, now: Temporal.Instant): Promise<void> {
  const release = await lockRelease(tx, asked.release_id)
  if (release?.state !== 'accepting') return
  await setReleaseState(tx, release.id, 'authorised', now.toString())
  await record(tx, {
    actor: system,
    at: now,
    did: 'release.authorised',
    subject: { kind: 'release', id: release.id },
    releaseId: release.id,
    before: { state: release.state },
    after: { state: 'authorised', case: asked.id, path: asked.path },
  })
}

/**
 * What the small quorum let out is a debt: the full board is asked by itself to take it over, and without its signatures
 * the emergency role ends after two weeks, and nobody installs it any more.
 */
async function askToRatify(tx: Db, state: RepositoryDraft, asked: CaseRecord, now: Temporal.Instant): Promise<void> {
  const at = targetPathFrom(asked.path)
  const role = at && lineRoleName(at.board, at.line)
  const live = liveReleases(state, asked.role).find(({ path }) => path === asked.path)
  if (role === undefined || !live || !trustedKeysOf(state, role)) return
  const { release_id: releaseId, board, asked_for: askedFor } = asked
  const path = asked.path.replace('/emergency/', '/normal/')
  const decision = { kind: 'ratify', emergencyPath: asked.path, target: live.target } as const
  const reason = `${asked.id} let it out as an emergency.`
  await openCase(tx, state, { kind: 'ratify', releaseId, board, role, path, decision, askedFor, reason }, system, now)
}

/** When the file ends that lists an emergency release; undefined once it is not listed there. */
export function lapseOf(state: RepositoryDraft, { role, path }: CaseRecord): Temporal.Instant | undefined {
  const file = state.roles[role]?.signed
  return file && Object.hasOwn(file.targets, path) ? expiryFrom(file.expires) : undefined
}

async function endEarlier(
  tx: Db,
  asked: CaseRecord,
  kinds: readonly CaseRecord['kind'][],
  to: Extract<CaseState, 'fulfilled' | 'revoked'>,
  now: Temporal.Instant,
): Promise<void> {
  for (const earlier of await findCases(tx, { releaseId: asked.release_id, states: ['go'], kinds })) {
    await moveCase(tx, earlier, to, now)
    await recordCase(tx, earlier, to, now, asked.id)
  }
}

/** A release that was let out and not started may be planned anew. Where it runs, devices see to it themselves. */
async function takeBack(tx: Db, state: RepositoryDraft, asked: CaseRecord, now: Temporal.Instant): Promise<void> {
  const release = await lockRelease(tx, asked.release_id)
  if (release?.state !== 'authorised' || isListed(state, asked)) return
  await unfreezeRelease(tx, release.id, now)
  await record(tx, {
    actor: system,
    at: now,
    did: 'release.unfrozen',
    subject: { kind: 'release', id: release.id },
    releaseId: release.id,
    before: { state: release.state },
    after: { state: 'planned', case: asked.id },
  })
}

function isListed({ roles }: RepositoryDraft, { path }: CaseRecord): boolean {
  const ways = [path.replace('/emergency/', '/normal/'), path.replace('/normal/', '/emergency/')]
  return Object.values(roles).some(({ signed }) => ways.some((way) => Object.hasOwn(signed.targets, way)))
}

export async function recordCase(
  tx: Db,
  { id, release_id: releaseId, state }: CaseRecord,
  to: CaseState,
  now: Temporal.Instant,
  because?: string,
): Promise<void> {
  await record(tx, {
    actor: system,
    at: now,
    did: `case.${to}`,
    subject: { kind: 'case', id },
    releaseId,
    before: { state },
    after: { state: to, ...(because === undefined ? {} : { because }) },
  })
}
