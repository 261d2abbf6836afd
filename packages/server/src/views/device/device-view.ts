import type { AuthorisedBy } from '@bascule/contract/device/protocol.ts'
import type { DeviceView, ProvenAuthority } from '@bascule/contract/estate/device.ts'
import { ok } from '@bascule/domain/lib/result.ts'
import { sql } from 'kysely'
import type { DeviceCall } from '#/estate/device/device-list.service.ts'
import { getDevice } from '#/estate/device/device.service.ts'
import type { Db } from '#/platform/db/database.ts'
import type { Answer } from '#/platform/lib/answer.ts'

/** Everything about one device, and beside each installed release who let it on, as the device itself has proven it. */
export async function viewDevice(call: DeviceCall, keyId: string): Promise<Answer<DeviceView>> {
  const device = await getDevice(call, keyId)
  if (!device.ok) return device
  const { packages, index } = device.value
  const releases = packages.flatMap(({ releaseId }) => releaseId ?? [])
  const proven = releases.length === 0 ? new Map<string, ProvenAuthority>() : await provenOf(call.db, index, releases)
  return ok({
    ...device.value,
    packages: packages.map((one) => ({ ...one, authorisedBy: proven.get(one.releaseId ?? '') ?? null })),
  })
}

/** By release, from the newest receipt of the device that holds. */
async function provenOf(db: Db, deviceId: number, releases: readonly string[]): Promise<Map<string, ProvenAuthority>> {
  const { rows } = await sql<{ release: string; by: AuthorisedBy; at: Temporal.Instant }>`
    select distinct on (1) receipt -> 'signed' ->> 'release' as release, receipt -> 'signed' -> 'authorisedBy' as by, at
    from report
    where device_id = ${deviceId} and receipt_valid and receipt -> 'signed' ->> 'release' = any(${[...new Set(releases)]}::text[])
      and receipt -> 'signed' ? 'authorisedBy'
    order by 1, seq desc`.execute(db)
  const names = await namesOfKeys(
    db,
    rows.flatMap(({ by }) => by.signers),
  )
  return new Map(
    rows.map(({ release, by: { role, version, threshold, signers }, at }) => [
      release,
      {
        role,
        version,
        threshold,
        signers: signers.map((key) => ({ keyId: key, name: names.get(key) ?? null })),
        at: at.toString(),
      },
    ]),
  )
}

/** People behind keys: by their name today, or by what a key without a person is called. */
async function namesOfKeys(db: Db, keyIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (keyIds.length === 0) return new Map()
  const { rows } = await sql<{ key_id: string; name: string }>`
    select k.key_id, coalesce(p.name, k.label) as name from member_key k left join person p on p.id = k.person_id
    where k.key_id = any(${[...new Set(keyIds)]}::text[])`.execute(db)
  return new Map(rows.map(({ key_id: keyId, name }) => [keyId, name]))
}
