import type { ReleaseRow, ReleaseView, RolloutSummary } from '@bascule/contract/plan/release.ts'
import { isFailure, type JobAction, type JobState } from '@bascule/domain/deliver/job.ts'
import type * as z from 'zod'
import type { Page } from '@bascule/contract/lib/paging.ts'
import type { Db } from '#/platform/db/database.ts'
import { pageFrom } from '#/platform/lib/keyset.ts'
import {
  findReleases,
  listReleases,
  releaseCursor,
  type ReleaseFilter,
  type ReleaseRecord,
} from '#/plan/release/release.store.ts'
import { lifecycleOf, reachedSteps } from './lifecycle.ts'
import { isBehind } from './rollout-view.ts'

type Summary = z.infer<typeof RolloutSummary>

/** A page of releases, each with how its rollout stands; two queries more for the whole page, whatever its length. */
export async function listReleaseRows(db: Db, filter: ReleaseFilter): Promise<Page<ReleaseRow>> {
  const records = await listReleases(db, filter)
  const summaries = await summariesOf(
    db,
    records.map((record) => record.id),
  )
  return pageFrom(records, filter.limit, releaseCursor, (record) => rowFrom(record, summaries.get(record.id) ?? null))
}

/** These releases in the order in which they are named; one that is gone is left out. */
export async function releaseRowsOf(db: Db, releaseIds: readonly string[]): Promise<ReleaseRow[]> {
  const records = await findReleases(db, releaseIds)
  const summaries = await summariesOf(db, releaseIds)
  return releaseIds.flatMap((id) => {
    const record = records.find((one) => one.id === id)
    return record === undefined ? [] : [rowFrom(record, summaries.get(id) ?? null)]
  })
}

function rowFrom(record: ReleaseRecord, rollout: Summary | null): ReleaseRow {
  return {
    id: record.id as ReleaseRow['id'],
    title: record.title,
    version: record.version,
    productLine: record.product_line,
    state: record.state,
    owner: record.owner_name,
    updatedAt: record.updated_at.toString(),
    rollout,
  }
}

export async function viewRelease(db: Db, record: ReleaseRecord): Promise<ReleaseView> {
  return {
    ...record.plan,
    id: record.id as ReleaseView['id'],
    state: record.state,
    owner: record.owner_name,
    createdAt: record.created_at.toString(),
    updatedAt: record.updated_at.toString(),
    counter: record.counter,
    manifestSha256: record.manifest_sha256,
    lifecycle: lifecycleOf(record, await reachedSteps(db, record)),
  }
}

async function summariesOf(db: Db, releaseIds: readonly string[]): Promise<Map<string, Summary>> {
  if (releaseIds.length === 0) return new Map()
  const phases = await db
    .selectFrom('rollout')
    .innerJoin('phase', 'phase.rollout_id', 'rollout.id')
    .select([
      'rollout.id',
      'rollout.release_id',
      'rollout.state',
      'phase.ord',
      'phase.size',
      'phase.state as phase_state',
    ])
    .where('rollout.release_id', 'in', [...releaseIds])
    .orderBy('phase.ord')
    .execute()
  const ids = [...new Set(phases.map((phase) => phase.id))]
  const counts =
    ids.length === 0 ? [] : await db.selectFrom('phase_count').selectAll().where('rollout_id', 'in', ids).execute()
  const summaries = new Map<string, Summary>()
  for (const [releaseId, own] of Map.groupBy(phases, (phase) => phase.release_id)) {
    const first = own[0]
    if (!first) continue
    const mine = counts.filter((count) => count.rollout_id === first.id)
    summaries.set(releaseId, {
      state: first.state,
      phase: own.find((phase) => !isBehind(phase.phase_state))?.ord ?? null,
      phases: own.length,
      audience: own.reduce((total, phase) => total + phase.size, 0),
      verified: sumOf(mine, (_action, state) => state === 'succeeded' || state === 'already-present'),
      failures: sumOf(mine, isFailure),
    })
  }
  return summaries
}

type Count = { readonly action: JobAction; readonly state: JobState; readonly devices: number }

function sumOf(counts: readonly Count[], take: (action: JobAction, state: JobState) => boolean): number {
  return counts.filter((count) => take(count.action, count.state)).reduce((total, count) => total + count.devices, 0)
}
