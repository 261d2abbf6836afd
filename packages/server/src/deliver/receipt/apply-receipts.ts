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
  const rows = proven.flatMap(({ deviceId, seq, receipt: { signed } }) =>
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

function changesSoftware(outcome: Receipt['signed']['outcome']): boolean {
  return outcome === 'committed' || outcome === 'already-present'
}
