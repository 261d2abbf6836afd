import type { LifecycleStep, ReleaseRow, ReleaseView, RolloutSummary } from '@bascule/contract/plan/release.ts'
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
  type ReleaseState,
} from '#/plan/release/release.store.ts'
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

export function releaseView(record: ReleaseRecord): ReleaseView {
  return {
    ...record.plan,
    id: record.id as ReleaseView['id'],
    state: record.state,
    owner: record.owner_name,
    createdAt: record.created_at.toString(),
    updatedAt: record.updated_at.toString(),
    counter: record.counter,
    manifestSha256: record.manifest_sha256,
    lifecycle: lifecycleOf(record),
  }
}

type StepKey = z.infer<typeof LifecycleStep>['key']
const steps: readonly StepKey[] = ['plan', 'build-and-test', 'acceptance', 'rollout', 'early-life', 'review']

/** At which of the six steps a state stands; every step before it is done. */
function stepOf(state: ReleaseState): number {
  if (state === 'building' || state === 'testing') return 1
  if (state === 'accepting' || state === 'authorised') return 2
  if (state === 'rolling-out' || state === 'backing-out') return 3
  if (state === 'early-life') return 4
  if (state === 'backed-out' || state === 'in-review') return 5
  // A cancelled release stands nowhere.
  if (state === 'cancelled') return -1
  return state === 'closed' ? 6 : 0
}

function lifecycleOf(record: ReleaseRecord): ReleaseView['lifecycle'] {
  const now = stepOf(record.state)
  return steps.map((key, at) => ({
    key,
    status: at < now ? 'done' : at === now ? 'now' : 'ahead',
    since: at === now ? record.state_since.toString() : null,
  }))
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
