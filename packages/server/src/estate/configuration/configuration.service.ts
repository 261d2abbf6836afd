import { sql } from 'kysely'
import type { Db } from '#/platform/db/database.ts'
import { ensureDeviceItems } from './device-items.ts'
import { endDrift } from './drift.service.ts'
import './configuration.tables.ts'

/** What a receipt proves about one package on one device. `after` is null when the package is gone. */
export interface InstallReceipt {
  /** The fleet index. */
  readonly deviceId: number
  readonly packageName: string
  readonly before: string | null
  readonly after: string | null
  readonly version: string
  readonly digest: string
  readonly modules: readonly string[]
  /** Names the cause: the same id never counts twice. */
  readonly receiptId: string
  readonly release: string
  readonly at: Temporal.Instant
}

/** Brings one proven install into the CMDB; see `applyInstallReceipts`. */
export async function applyInstallReceipt(tx: Db, receipt: InstallReceipt): Promise<number> {
  return await applyInstallReceipts(tx, [receipt])
}

/**
 * Brings proven installs into the CMDB in the transaction that stores the receipts: exactly one row of history for each,
 * the relation from device to software as it now is, and an end to the drift it repairs. A receipt that came before
 * changes nothing. Five statements, however many receipts. Answers how many were new.
 */
export async function applyInstallReceipts(tx: Db, receipts: readonly InstallReceipt[]): Promise<number> {
  const once = lastById(receipts).toSorted((a, b) => a.deviceId - b.deviceId)
  const [first] = once
  if (first === undefined) return 0
  await ensureDeviceItems(tx, [...new Set(once.map((one) => one.deviceId))], first.at)
  await ensureSoftwareItems(tx, once)
  const fresh = await insertHistory(tx, once)
  const applied = once.filter((one) => fresh.has(one.receiptId))
  if (applied.length === 0) return 0
  await relate(tx, lastByPackage(applied))
  await endDrift(tx, applied)
  return applied.length
}

function lastById(receipts: readonly InstallReceipt[]): InstallReceipt[] {
  return Array.from(new Map(receipts.map((one) => [one.receiptId, one])).values())
}

/** Of several receipts for one package on one device the last one says what is there now. */
function lastByPackage(receipts: readonly InstallReceipt[]): InstallReceipt[] {
  return Array.from(new Map(receipts.map((one) => [`${one.deviceId} ${one.packageName}`, one])).values())
}

async function ensureSoftwareItems(tx: Db, receipts: readonly InstallReceipt[]): Promise<void> {
  const installed = receipts.filter((one) => one.after !== null)
  await sql`insert into ci (id, class, key, name, attributes, since_at)
    select gen_random_uuid(), 'software', package || ' ' || version, package || ' ' || version,
      jsonb_build_object('package', package, 'version', version, 'digest', digest), at
    from (select distinct on (package, version) * from unnest(${installed.map((one) => one.packageName)}::text[],
      ${installed.map((one) => one.after)}::text[], ${installed.map((one) => one.digest)}::text[],
      ${installed.map((one) => one.at.toString())}::timestamptz[]) n (package, version, digest, at) order by package, version) n
    on conflict do nothing`.execute(tx)
}

async function insertHistory(tx: Db, receipts: readonly InstallReceipt[]): Promise<Set<string>> {
  const { rows } = await sql<{ source: string }>`
    insert into ci_history (at, ci_id, change, slot, before, after, release_id, source)
    select n.at, ci.id, n.change, n.package, n.before, n.after, n.release, n.source
    from unnest(${receipts.map((one) => one.deviceId)}::int[], ${receipts.map((one) => one.at.toString())}::timestamptz[],
      ${receipts.map(changeOf)}::text[], ${receipts.map((one) => one.packageName)}::text[],
      ${receipts.map((one) => versionJson(one.before))}::jsonb[], ${receipts.map(afterJson)}::jsonb[],
      ${receipts.map((one) => one.release)}::text[], ${receipts.map((one) => one.receiptId)}::text[])
      with ordinality n (device, at, change, package, before, after, release, source, place)
    join ci on ci.device_id = n.device order by n.place
    on conflict (source) do nothing returning source`.execute(tx)
  return new Set(rows.map((row) => row.source))
}

function changeOf({ before, after }: InstallReceipt): string {
  if (after === null) return 'removed'
  if (before === null) return 'installed'
  return before === after ? 'confirmed' : 'updated'
}

function versionJson(version: string | null): string | null {
  return version === null ? null : JSON.stringify({ version })
}

function afterJson({ after, digest, modules }: InstallReceipt): string | null {
  return after === null ? null : JSON.stringify({ version: after, digest, modules })
}

/** One statement takes away the relations that no longer hold, one makes those that now do. */
async function relate(tx: Db, receipts: readonly InstallReceipt[]): Promise<void> {
  await sql`delete from ci_relation r using ci,
    unnest(${receipts.map((one) => one.deviceId)}::int[], ${receipts.map((one) => one.packageName)}::text[]) n (device, package)
    where ci.device_id = n.device and r.from_id = ci.id and r.kind = 'runs' and r.slot = n.package`.execute(tx)
  const installed = receipts.filter((one) => one.after !== null)
  await sql`insert into ci_relation (from_id, kind, slot, to_id, attributes, since_at)
    select device.id, 'runs', n.package, software.id, n.attributes, n.at
    from unnest(${installed.map((one) => one.deviceId)}::int[], ${installed.map((one) => one.packageName)}::text[],
      ${installed.map((one) => one.after)}::text[], ${installed.map(relationJson)}::jsonb[],
      ${installed.map((one) => one.at.toString())}::timestamptz[]) n (device, package, version, attributes, at)
    join ci device on device.device_id = n.device
    join ci software on software.class = 'software' and software.key = n.package || ' ' || n.version`.execute(tx)
}

function relationJson({ after, digest, modules, release, receiptId }: InstallReceipt): string {
  return JSON.stringify({ version: after, digest, modules, release, receiptId })
}
