import type { Assignment, AssignmentCustom } from '@bascule/contract/device/protocol.ts'
import { ReleasePlan } from '@bascule/contract/plan/release.ts'
import { isOpen, jobStates, type JobAction } from '@bascule/domain/deliver/job.ts'
import { expiryText } from '@bascule/trust/envelope.ts'
import { sql } from 'kysely'
import type { Db } from '#/platform/db/database.ts'
import type { SignerClient, SignItem, SignResult } from '#/platform/signer-client.ts'
import type { AudienceTrees } from '../rollout/audience-trees.ts'

export interface AssignmentServices {
  readonly db: Db
  readonly signer: Pick<SignerClient, 'signAssignments'>
  readonly audienceTrees: AudienceTrees
}

/** An assignment lives this long; a device with open work gets a fresh one when a day is left. */
const lifetime = Temporal.Duration.from({ hours: 6 * 24 })
const renewedBeforeMs = 24 * 3_600_000

/** Whether a device that still has work to do should get a fresh assignment now. */
export function isRunningOut(expiresAtMs: number, now: Temporal.Instant): boolean {
  return expiresAtMs - now.epochMilliseconds < renewedBeforeMs
}

/** What a device should now have: the number of its assignment, and when that ends if it asks for anything. */
export interface Issued {
  readonly generation: number
  readonly expiresAt: Temporal.Instant | null
}

interface OpenJobRow {
  device_id: number
  key_id: string
  roles: string[]
  site: string | null
  org_unit: string | null
  rollout_id: number
  phase: number
  id: number
  action: JobAction
  release_id: string
  path: string
  product_line: string
  manifest_sha256: string
  manifest_size_bytes: number
  plan: unknown
  /** Whether the device has proven that it runs, or ran before this one, an earlier release of the line. */
  has_earlier: boolean
}

/**
 * Writes a new assignment for each device from its open jobs as the tables have them now, and returns what it issued.
 * Must run in the transaction that changed the jobs: a device never gets an assignment that did not commit. The rows
 * are locked before the jobs are read, so that a retry which commits meanwhile asks for another assignment afterwards.
 */
export async function issueAssignments(
  services: AssignmentServices,
  tx: Db,
  deviceIds: readonly number[],
  now: Temporal.Instant,
): Promise<Map<number, Issued>> {
  if (deviceIds.length === 0) return new Map()
  await lockAssignments(tx, deviceIds)
  const jobs = Map.groupBy(await openJobsOf(tx, deviceIds), (row) => row.device_id)
  const targets = new Map<number, SignItem['targets']>()
  for (const id of deviceIds) {
    targets.set(id, await Promise.all((jobs.get(id) ?? []).map((row) => targetFrom(services, row))))
  }
  const expiresAt = now.add(lifetime)
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const devices = await devicesWithGeneration(tx, deviceIds)
    const items = devices.map((device) => ({
      device: device.key_id,
      generation: device.generation,
      expires: expiryText(expiresAt),
      targets: targets.get(device.id) ?? [],
    }))
    const signed = assignmentsFrom(await services.signer.signAssignments(items))
    if (signed.used === 0) {
      // An assignment that asks for nothing may run out; nobody has to renew it.
      const issued = devices.map(({ id, generation }) => ({
        id,
        generation,
        expiresAt: jobs.has(id) ? expiresAt : null,
      }))
      await storeAssignments(tx, issued, signed.assignments)
      return new Map(issued.map((one) => [one.id, one]))
    }
    // A restored database is behind the signer, which never signs a generation twice. The sequence jumps above it.
    await sql`select setval('assignment_generation', greatest(${signed.used}::bigint, nextval('assignment_generation')))`.execute(
      tx,
    )
  }
  throw new Error('Asking the signer for assignments: it has seen every generation that the server proposed')
}

async function lockAssignments(tx: Db, deviceIds: readonly number[]): Promise<void> {
  await sql`
    insert into assignment (device_id, generation) select d, 0 from unnest(${[...deviceIds]}::int[]) as d order by d
    on conflict do nothing`.execute(tx)
  await sql`
    select 1 from assignment where device_id = any(${[...deviceIds]}::int[]) order by device_id for update`.execute(tx)
}

/** All assignments, or the highest generation that the signer has used for one of the devices already. */
function assignmentsFrom(results: readonly SignResult[]): {
  readonly assignments: readonly Assignment[]
  readonly used: number
} {
  const assignments: Assignment[] = []
  let used = 0
  for (const result of results) {
    if ('assignment' in result) assignments.push(result.assignment)
    else if (result.refusal.code === 'generation-used') used = Math.max(used, result.refusal.lastGeneration ?? 0)
    else throw new Error(`Asking the signer for assignments: ${result.refusal.code}: ${result.refusal.message}`)
  }
  return { assignments, used }
}

/** A sequence, so that a generation is never used twice: not after a rollback and not by another server. */
async function devicesWithGeneration(tx: Db, deviceIds: readonly number[]) {
  const rows = await sql<{ id: number; key_id: string; generation: number }>`
    select id, key_id, nextval('assignment_generation') as generation
    from device where id = any(${[...deviceIds]}::int[]) order by id`.execute(tx)
  return rows.rows
}

async function openJobsOf(tx: Db, deviceIds: readonly number[]): Promise<OpenJobRow[]> {
  const rows = await sql<OpenJobRow>`
    select j.device_id, d.key_id, d.roles, s.code as site, o.code as org_unit, j.rollout_id, j.phase, j.id, j.action,
      r.release_id, r.path, e.product_line, e.manifest_sha256, e.manifest_size_bytes, e.plan,
      exists (
        select 1 from job o join rollout ro on ro.id = o.rollout_id join release eo on eo.id = ro.release_id
        where o.device_id = j.device_id and eo.product_line = e.product_line and eo.counter < e.counter
          and o.action = 'install' and o.state in ('succeeded', 'already-present')) as has_earlier
    from job j
    join device d on d.id = j.device_id
    left join site s on s.id = d.site_id
    left join org_unit o on o.id = d.org_unit_id
    join rollout r on r.id = j.rollout_id
    join release e on e.id = r.release_id
    where j.device_id = any(${[...deviceIds]}::int[]) and j.state = any(${jobStates.filter(mayBeAssigned)}::text[])
    order by j.device_id, j.rollout_id`.execute(tx)
  return rows.rows
}

/** A device that needs a person keeps its job: it goes on by itself when the person has helped. */
function mayBeAssigned(state: (typeof jobStates)[number]): boolean {
  return isOpen(state) || state === 'failed-needs-human'
}

/**
 * What a device is ordered to do. Going back needs the signature of the release that comes back; where there was none,
 * the software leaves, which the board has signed as well or not.
 */
function orderOf({ action, has_earlier: hasEarlier }: OpenJobRow): AssignmentCustom['action'] {
  return action === 'back-out' && !hasEarlier ? 'remove' : action
}

async function targetFrom(services: AssignmentServices, row: OpenJobRow) {
  const proof = await services.audienceTrees.proofFor(row.rollout_id, row.phase, row.key_id)
  const custom: AssignmentCustom = {
    job: String(row.id),
    action: orderOf(row),
    release: row.release_id,
    productLine: row.product_line,
    rollout: row.rollout_id,
    phase: row.phase,
    verifyLevel: ReleasePlan.parse(row.plan).verifyLevel,
    activation: 'current',
    ...(proof ? { audienceProof: proof } : {}),
    attributes: {
      ...(row.site === null ? {} : { site: row.site }),
      ...(row.org_unit === null ? {} : { orgUnit: row.org_unit }),
      roles: row.roles,
    },
  }
  return {
    path: row.path,
    lengthBytes: row.manifest_size_bytes,
    sha256: row.manifest_sha256,
    custom,
  }
}

async function storeAssignments(
  tx: Db,
  devices: readonly (Issued & { id: number })[],
  signed: readonly Assignment[],
): Promise<void> {
  await sql`
    insert into assignment (device_id, generation, document, expires_at, stale)
    select d, g, a, e, false
    from unnest(${devices.map((device) => device.id)}::int[], ${devices.map((device) => device.generation)}::bigint[],
      ${signed.map((document) => JSON.stringify(document))}::jsonb[],
      ${devices.map((device) => device.expiresAt?.toString() ?? null)}::timestamptz[]) as n (d, g, a, e)
    on conflict (device_id) do update
      set generation = excluded.generation, document = excluded.document, expires_at = excluded.expires_at, stale = false`.execute(
    tx,
  )
}
