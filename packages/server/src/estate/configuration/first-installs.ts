import type { Db } from '#/platform/db/database.ts'

/** Devices, by fleet index, to which this release brought software of which they had no version before. */
export async function firstInstallsOf(db: Db, releaseId: string): Promise<ReadonlySet<number>> {
  const rows = await db
    .selectFrom('ci_history')
    .innerJoin('ci', 'ci.id', 'ci_history.ci_id')
    .select('ci.device_id')
    .where('ci_history.release_id', '=', releaseId)
    .where('ci_history.change', '=', 'installed')
    .execute()
  return new Set(rows.flatMap(({ device_id: device }) => (device === null ? [] : [device])))
}
