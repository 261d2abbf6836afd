import type { CaseState } from '@bascule/domain/decide/case.ts'
import { lockRelease } from '#/plan/release/release.service.ts'
import { unfreezeRelease } from '#/plan/release/freeze-release.ts'
import type { Db } from '#/platform/db/database.ts'
import { record } from '#/platform/ledger/record.ts'
import type { ActorName } from '#/platform/lib/actor.ts'
import { type CaseRecord, moveCase } from './case.store.ts'

export interface Ending {
  readonly to: Extract<CaseState, 'no-go' | 'deferred' | 'superseded'>
  readonly because: string
  readonly actor: ActorName
  readonly now: Temporal.Instant
  readonly deferredUntil?: Temporal.PlainDate
}

/** Ends a question without a Go, for good or until a day: the plan of the release may move again. */
export async function endUndecided(tx: Db, asked: CaseRecord, ending: Ending): Promise<void> {
  const { to, because, actor, now, deferredUntil } = ending
  await moveCase(tx, asked, to, now, {
    deferredUntil: deferredUntil ?? null,
    ...(to === 'deferred' ? {} : { decidedAt: now }),
  })
  await record(tx, {
    actor,
    at: now,
    did: `case.${to}`,
    subject: { kind: 'case', id: asked.id },
    releaseId: asked.release_id,
    before: { state: asked.state },
    after: { state: to, because, ...(deferredUntil ? { until: deferredUntil.toString() } : {}) },
  })
  if (asked.state === 'open' && freezes(asked)) await letGo(tx, asked, actor, now)
}

/** Kinds of questions for which the release was frozen. */
export function freezes({ kind }: Pick<CaseRecord, 'kind'>): boolean {
  return kind === 'go' || kind === 'emergency'
}

async function letGo(tx: Db, asked: CaseRecord, actor: ActorName, now: Temporal.Instant): Promise<void> {
  const release = await lockRelease(tx, asked.release_id)
  if (release?.state !== 'accepting') return
  await unfreezeRelease(tx, release.id, now)
  await record(tx, {
    actor,
    at: now,
    did: 'release.unfrozen',
    subject: { kind: 'release', id: release.id },
    releaseId: release.id,
    before: { state: release.state },
    after: { state: 'planned', case: asked.id },
  })
}
