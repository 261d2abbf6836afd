import type { Receipt } from '@bascule/contract/device/protocol.ts'
import { applyInstallReceipts } from '#/estate/configuration/configuration.service.ts'
import type { Db } from '#/platform/db/database.ts'

/** A receipt whose signature holds: evidence of what a device now runs. */
export interface ProvenInstall {
  readonly deviceId: number
  readonly seq: number
  readonly receipt: Receipt
}

/**
 * Brings proven installs into the CMDB, in the transaction that stores the receipt: each gives exactly one update, and
 * a receipt that changed nothing on the device gives none.
 */
export async function applyReceipts(tx: Db, proven: readonly ProvenInstall[], now: Temporal.Instant): Promise<void> {
  const rows = (await withoutForeign(tx, proven)).flatMap(({ deviceId, seq, receipt: { signed } }) =>
    changesSoftware(signed.outcome)
      ? signed.packages.map((pack) => ({
          deviceId,
          packageName: pack.name,
          before: pack.before,
          after: pack.after,
          version: pack.version,
          digest: pack.index,
          modules: pack.modules,
          receiptId: `${deviceId}/${seq}/${pack.name}`,
          release: signed.release,
          at: now,
        }))
      : [],
  )
  if (rows.length > 0) await applyInstallReceipts(tx, rows)
}

/**
 * Leaves out what a device says of the job of another one: it was never asked for that. A job that is not there any more
 * was the device's own before a retry or a back-out took its place.
 */
async function withoutForeign(tx: Db, proven: readonly ProvenInstall[]): Promise<readonly ProvenInstall[]> {
  if (proven.length === 0) return proven
  const jobs = await tx
    .selectFrom('job')
    .select(['id', 'device_id'])
    .where((eb) => eb('id', '=', eb.fn.any(eb.val(proven.map(jobOf)))))
    .execute()
  const owners = new Map(jobs.map((job) => [job.id, job.device_id]))
  return proven.filter((one) => (owners.get(jobOf(one)) ?? one.deviceId) === one.deviceId)
}

function jobOf({ receipt }: ProvenInstall): number {
  return Number(receipt.signed.job)
}

function changesSoftware(outcome: Receipt['signed']['outcome']): boolean {
  return outcome === 'committed' || outcome === 'already-present'
}
