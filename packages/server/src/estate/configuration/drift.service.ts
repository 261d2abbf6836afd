import { driftOf, type Drift } from '@bascule/domain/estate/configuration/drift.ts'
import { sql } from 'kysely'
import type { Db } from '#/platform/db/database.ts'
import '../device/device.tables.ts'
import './configuration.tables.ts'

/**
 * Compares what these devices reported last with what the CMDB says they run, and keeps the differences. Called by who
 * changes either of them, in the same transaction. A device that has not reported since an install is not judged for it.
 */
export async function judgeDrift(tx: Db, deviceIds: readonly number[], at: Temporal.Instant): Promise<void> {
  const managed = await managedPackages(tx)
  if (managed.size === 0) return
  const recorded = await recordedPackages(tx, deviceIds)
  const devices = await tx.selectFrom('device').select(['id', 'facts']).where('id', 'in', deviceIds).execute()
  const found = devices.flatMap(({ id, facts }) =>
    driftOf(recorded.get(id) ?? new Map<string, string>(), facts, managed).map((drift) => ({ deviceId: id, ...drift })),
  )
  await replaceDrift(tx, deviceIds, found, at)
}

/** Forgets drift that a verified install has just ended: the next inventory judges again. */
export async function endDrift(
  tx: Db,
  devicePackages: readonly { deviceId: number; packageName: string }[],
): Promise<void> {
  await sql`delete from drift d
    using unnest(${devicePackages.map((one) => one.deviceId)}::int[], ${devicePackages.map((one) => one.packageName)}::text[]) n (device, package)
    where d.device_id = n.device and d.package = n.package`.execute(tx)
}

async function managedPackages(tx: Db): Promise<Set<string>> {
  const rows = await tx
    .selectFrom('ci')
    .select(sql<string>`attributes ->> 'package'`.as('package'))
    .distinct()
    .where('class', '=', 'software')
    .execute()
  return new Set(rows.map((row) => row.package))
}

async function recordedPackages(tx: Db, deviceIds: readonly number[]): Promise<Map<number, Map<string, string>>> {
  const rows = await tx
    .selectFrom('ci')
    .innerJoin('ci_relation', 'ci_relation.from_id', 'ci.id')
    .select(['ci.device_id', 'ci_relation.slot', sql<string>`ci_relation.attributes ->> 'version'`.as('version')])
    .where('ci_relation.kind', '=', 'runs')
    .where('ci.device_id', 'in', deviceIds)
    .execute()
  const byDevice = new Map<number, Map<string, string>>()
  for (const { device_id: id, slot, version } of rows) {
    if (id === null) continue
    byDevice.set(id, (byDevice.get(id) ?? new Map<string, string>()).set(slot, version))
  }
  return byDevice
}

type DeviceDrift = Drift & { readonly deviceId: number }

/** Drift that was there before keeps the moment since when. */
async function replaceDrift(
  tx: Db,
  deviceIds: readonly number[],
  found: readonly DeviceDrift[],
  at: Temporal.Instant,
): Promise<void> {
  await sql`delete from drift d where d.device_id = any(${deviceIds}::int[]) and not exists (
    select from unnest(${found.map((one) => one.deviceId)}::int[], ${found.map((one) => one.package)}::text[]) n (device, package)
    where n.device = d.device_id and n.package = d.package)`.execute(tx)
  if (found.length === 0) return
  await tx
    .insertInto('drift')
    .values(
      found.map(({ deviceId, kind, expected, found: seen, package: name }) => ({
        device_id: deviceId,
        package: name,
        kind,
        expected,
        found: seen,
        since_at: at,
      })),
    )
    .onConflict((conflict) =>
      conflict.columns(['device_id', 'package']).doUpdateSet((eb) => ({
        kind: eb.ref('excluded.kind'),
        expected: eb.ref('excluded.expected'),
        found: eb.ref('excluded.found'),
      })),
    )
    .execute()
}
