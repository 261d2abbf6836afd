import type { AuthorityRefused } from '@bascule/contract/device/protocol.ts'
import type { FleetRow, FleetWork, RefusalGroup } from '@bascule/contract/views/fleet.ts'
import type { Page } from '@bascule/contract/lib/paging.ts'
import { bucketOf, isInFlight, jobStates, type JobState } from '@bascule/domain/deliver/job.ts'
import { ok, unreachable } from '@bascule/domain/lib/result.ts'
import { type RawBuilder, sql } from 'kysely'
import { findRolloutOf, membersOf } from '#/deliver/rollout/rollout.store.ts'
import { type DeviceCall, filterFrom, listAnchors, listDevices } from '#/estate/device/device-list.service.ts'
import { whereFiltered } from '#/estate/device/device-list.store.ts'
import type { Db } from '#/platform/db/database.ts'
import { notFound, type Answer } from '#/platform/lib/answer.ts'

export interface FleetFilter {
  readonly query: string
  readonly order: string
  readonly release?: string | undefined
  readonly work?: FleetWork | undefined
  readonly refusal?: string | undefined
}

type Work = NonNullable<FleetRow['work']>

/** Devices as the estate knows them, each with its latest job, which only the delivery knows. */
export async function listFleet(
  call: DeviceCall,
  input: FleetFilter & { after?: string | undefined; limit: number },
): Promise<Answer<Page<FleetRow>>> {
  const scope = await scopeOf(call.db, input)
  if (scope === undefined) return notFound('rollout')
  const page = await listDevices(call, { ...input, also: scope.also })
  if (!page.ok) return page
  const known = await worksOf(
    call.db,
    page.value.items.map((row) => row.id),
    scope.rolloutId,
  )
  const items = page.value.items.map((row) => ({
    ...row,
    ...(known.get(row.id) ?? { owner: null, model: null, software: [], work: null }),
  }))
  return ok({ ...page.value, items })
}

export async function listFleetAnchors(
  call: DeviceCall,
  input: FleetFilter & { every: number },
): Promise<Answer<{ total: number; cursors: string[] }>> {
  const scope = await scopeOf(call.db, input)
  return scope === undefined ? notFound('rollout') : await listAnchors(call, { ...input, also: scope.also })
}

interface Scope {
  readonly rolloutId: number | null
  readonly also: RawBuilder<boolean> | undefined
}

/** Undefined for a release without a rollout. */
async function scopeOf(db: Db, { release, work, refusal }: FleetFilter): Promise<Scope | undefined> {
  if (release === undefined) return { rolloutId: null, also: whatever(work, refusal) }
  const rollout = await findRolloutOf(db, release)
  if (rollout === undefined) return undefined
  const members = await membersOf(db, rollout.id)
  const ids = [...members.entries()].flatMap(([id, phase]) => (phase === 0 ? [] : [id]))
  const isMember = sql<boolean>`device.id = any(${ids}::int[])`
  return {
    rolloutId: rollout.id,
    also: sql`${isMember} and ${worksFor(rollout.id, work)} and ${refuses(refusal, rollout.id)}`,
  }
}

function whatever(work: FleetWork | undefined, refusal: string | undefined): RawBuilder<boolean> | undefined {
  if (work === undefined && refusal === undefined) return undefined
  return sql`${work === undefined ? sql`true` : worksLatest(work)} and ${refuses(refusal)}`
}

/** By the partial index that holds only jobs which a device refuses. */
function refuses(refusal: string | undefined, rolloutId?: number): RawBuilder<boolean> {
  if (refusal === undefined) return sql`true`
  return sql`device.id in (select j.device_id from job j where ${isRefused(rolloutId)}
    ${refusal === 'any' ? sql`` : sql`and j.refusal_code = ${refusal}`})`
}

function isRefused(rolloutId: number | undefined): RawBuilder<boolean> {
  return sql`j.refusal_code is not null ${rolloutId === undefined ? sql`` : sql`and j.rollout_id = ${rolloutId}`}`
}

/** Why devices that the caller sees refuse what they are asked to do, of one release or of all, the most frequent first. */
export async function countRefusals(call: DeviceCall, release?: string): Promise<Answer<RefusalGroup[]>> {
  const rollout = release === undefined ? undefined : await findRolloutOf(call.db, release)
  if (release !== undefined && rollout === undefined) return notFound('rollout')
  const filter = await filterFrom(call, '', 'device.read')
  if (!filter.ok) return filter
  const { rows } = await sql<RefusalGroup>`
    select j.refusal_code as code, j.refusal_rule as rule, count(*)::int as devices,
      coalesce((array_agg(j.sentence order by j.state_since desc))[1], '') as sentence
    from job j join device on device.id = j.device_id
    where ${isRefused(rollout?.id)} and ${whereFiltered(filter.value)}
    group by 1, 2 order by devices desc, code, rule`.execute(call.db)
  return ok(rows)
}

function worksFor(rolloutId: number, work: FleetWork | undefined): RawBuilder<boolean> {
  const jobs = sql`select j.device_id from job j where j.rollout_id = ${rolloutId}`
  if (work === undefined) return sql`true`
  if (work === 'not-started') return sql`device.id not in (${jobs})`
  return sql`device.id in (${jobs} and j.state = any(${statesOf(work)}::text[]))`
}

function worksLatest(work: FleetWork): RawBuilder<boolean> {
  if (work === 'not-started') return sql`device.id not in (select j.device_id from job j)`
  return sql`device.id in (select latest.device_id from
    (select distinct on (j.device_id) j.device_id, j.state from job j order by j.device_id, j.id desc) latest
    where latest.state = any(${statesOf(work)}::text[]))`
}

/** Owner, hardware, software and latest job of each device, or its job of one rollout. */
async function worksOf(db: Db, deviceIds: readonly string[], rolloutId: number | null) {
  const { rows } = await sql<{
    key_id: string
    owner: string | null
    model: string | null
    software: FleetRow['software']
    release_id: string | null
    title: string
    version: string
    state: JobState
    sentence: string | null
    refusal_code: string | null
    refusal_rule: string | null
    state_since: Temporal.Instant
  }>`
    select device.key_id, person.name as owner, device.facts ->> 'hardware.model' as model, runs.software, work.*
    from device
    left join person on person.id = device.owner_person_id
    left join lateral (
      select coalesce(jsonb_agg(jsonb_build_object('name', r.slot, 'version', r.attributes ->> 'version') order by r.slot), '[]')
        as software
      from ci join ci_relation r on r.from_id = ci.id where ci.device_id = device.id and r.kind = 'runs') runs on true
    left join lateral (
      select release.id as release_id, release.title, release.version, j.state, j.sentence, j.refusal_code,
        j.refusal_rule, j.state_since
      from job j join rollout on rollout.id = j.rollout_id join release on release.id = rollout.release_id
      where j.device_id = device.id and ${rolloutId === null ? sql`true` : sql`j.rollout_id = ${rolloutId}`}
      order by j.id desc limit 1) work on true
    where device.key_id = any(${deviceIds}::text[])`.execute(db)
  return new Map(
    rows.map((row) => {
      const { owner, model, software } = row
      return [row.key_id, { owner, model, software, work: workView(row) }]
    }),
  )
}

function workView(row: {
  release_id: string | null
  title: string
  version: string
  state: JobState
  sentence: string | null
  refusal_code: string | null
  refusal_rule: string | null
  state_since: Temporal.Instant
}): Work | null {
  if (row.release_id === null) return null
  return {
    releaseId: row.release_id as Work['releaseId'],
    release: row.title,
    version: row.version,
    state: row.state,
    sentence: row.sentence,
    refusal: refusalFrom(row),
    since: row.state_since.toString(),
  }
}

function refusalFrom(row: { refusal_code: string | null; refusal_rule: string | null }): AuthorityRefused | null {
  return row.refusal_code === null ? null : { code: row.refusal_code, rule: row.refusal_rule ?? '' }
}

function statesOf(work: FleetWork): JobState[] {
  return jobStates.filter((state) => workOf(state) === work)
}

function workOf(state: JobState): FleetWork {
  const bucket = bucketOf(state)
  switch (bucket) {
    case 'succeeded':
    case 'already-present':
      return 'verified'
    case 'rolled-back':
      return 'backed-out'
    case 'failed':
      return 'failed'
    case 'blocked':
      return 'blocked'
    case 'in-progress':
      return progressOf(state)
    case 'excused':
    case 'not-applicable':
    case 'cancelled':
    case 'superseded':
      return 'left-out'
    default:
      return unreachable(bucket)
  }
}

function progressOf(state: JobState): FleetWork {
  if (isInFlight(state)) return 'installing'
  return state === 'downloading' || state === 'download-waiting' || state === 'staged' ? 'downloading' : 'offered'
}
