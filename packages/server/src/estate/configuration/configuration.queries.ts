import type { DeviceView } from '@bascule/contract/estate/device.ts'
import { sql } from 'kysely'
import type { Db } from '#/platform/db/database.ts'
import './configuration.tables.ts'

interface RunsRow {
  readonly slot: string
  readonly attributes: { version: string; digest: string; modules: string[]; release: string | null }
  readonly since_at: Temporal.Instant
}

/** What the CMDB says a device runs, and because of which release. */
export async function packagesOfDevice(db: Db, deviceId: number): Promise<DeviceView['packages']> {
  const { rows } = await sql<RunsRow>`
    select r.slot, r.attributes, r.since_at from ci join ci_relation r on r.from_id = ci.id
    where ci.device_id = ${deviceId} and r.kind = 'runs' order by r.slot`.execute(db)
  return rows.map(({ slot, attributes: { version, digest, modules, release }, since_at: since }) => ({
    name: slot,
    version,
    digest,
    modules,
    release,
    releaseId: release,
    since: since.toString(),
  }))
}

export async function driftOfDevice(db: Db, deviceId: number): Promise<DeviceView['drift']> {
  const rows = await db.selectFrom('drift').selectAll().where('device_id', '=', deviceId).orderBy('package').execute()
  return rows.map(({ package: name, kind, expected, found, since_at: since }) => ({
    package: name,
    kind,
    expected,
    found,
    since: since.toString(),
  }))
}
