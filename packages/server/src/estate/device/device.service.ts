import { trustAnchors } from '@bascule/contract/estate/device.ts'
import type { BulkResult, DeviceChange, DeviceSelection, DeviceView } from '@bascule/contract/estate/device.ts'
import { nextDeviceState, type DeviceAction } from '@bascule/domain/estate/device/device-state.ts'
import type { Permission } from '@bascule/domain/estate/permission.ts'
import { ok } from '@bascule/domain/lib/result.ts'
import type { Updateable } from 'kysely'
import type { Db } from '#/platform/db/database.ts'
import { writeWithin } from '#/platform/db/read-within.ts'
import { record } from '#/platform/ledger/record.ts'
import { allow } from '#/platform/lib/actor.ts'
import { badInput, notFound, refused, type Answer } from '#/platform/lib/answer.ts'
import { ensureDeviceItems, renameDeviceItem, retireDeviceItems } from '../configuration/device-items.ts'
import { driftOfDevice, packagesOfDevice } from '../configuration/configuration.queries.ts'
import { inGroups } from '../lib/csv.ts'
import { unknownReferences } from '../lib/references.ts'
import { placeOf } from '../person/person.store.ts'
import { type DeviceCall, filterFrom, rowView } from './device-list.service.ts'
import { findCovered, findDetail, lockSelected, type SelectedForChange, updateDevices } from './device.store.ts'
import type { DeviceRecord, DeviceTable } from './device.tables.ts'

/** Everything about one device that the caller may see. */
export async function getDevice(call: DeviceCall, keyId: string): Promise<Answer<DeviceView>> {
  const filter = await filterFrom(call, '', 'device.read')
  if (!filter.ok) return filter
  const row = await findCovered(call.db, filter.value, keyId)
  return row === undefined ? notFound('device') : ok(await viewOf(call, row))
}

export async function renameDevice(
  call: DeviceCall,
  { deviceId, name, version }: { deviceId: string; name: string; version?: number | undefined },
): Promise<Answer<DeviceView>> {
  const filter = await filterFrom(call, '', 'device.write')
  if (!filter.ok) return filter
  const renamed = await call.db.transaction().execute(async (tx): Promise<Answer<true>> => {
    const row = await findCovered(tx, filter.value, deviceId, true)
    if (row === undefined) return notFound('device')
    if (version !== undefined && version !== row.version) return refused(changedMeanwhile(row.version, version))
    await updateDevices(tx, [row.id], { name })
    await renameDeviceItem(tx, row.id, name)
    await record(tx, { ...factOf(call, row, 'device.renamed'), before: { name: row.name }, after: { name } })
    return ok(true)
  })
  return renamed.ok ? await getDevice(call, deviceId) : renamed
}

/** Approves, suspends, resumes, revokes or decommissions devices. One named device that may not is a refusal; of many it is left alone. */
export async function changeDeviceState(
  call: DeviceCall,
  { devices, action, reason }: { devices: DeviceSelection; action: DeviceAction; reason?: string | undefined },
): Promise<Answer<BulkResult>> {
  return await changeSelected(
    call,
    devices,
    action === 'approve' ? 'device.approve' : 'device.revoke',
    async (tx, rows) => {
      const judged = rows.map((row) => ({ row, next: nextDeviceState(row.state, action) }))
      const [only] = judged
      if ('deviceIds' in devices && devices.deviceIds.length === 1 && only && !only.next.ok)
        return refused(only.next.error)
      const changing = judged.flatMap(({ row, next }) => (next.ok ? [{ row, state: next.value }] : []))
      const ids = changing.map(({ row }) => row.id)
      const [first] = changing
      if (first === undefined) return ok([])
      await updateDevices(tx, ids, { state: first.state, state_since: call.now })
      if (first.state === 'active') await ensureDeviceItems(tx, ids, call.now)
      if (first.state === 'decommissioned') await retireDeviceItems(tx, ids, call.now)
      return ok(
        changing.map(({ row, state }) => ({
          ...factOf(call, row, `device.${pastOf[action]}`),
          before: { state: row.state },
          after: reason === undefined ? { state } : { state, reason },
        })),
      )
    },
  )
}

const pastOf: Record<DeviceAction, string> = {
  approve: 'approved',
  suspend: 'suspended',
  resume: 'resumed',
  revoke: 'revoked',
  decommission: 'decommissioned',
}

/**
 * Gives devices their place, owner, roles and tags. What the change leaves out stays as it is. Moving a device to another
 * org unit or site needs the permission at both ends.
 */
export async function assignDevices(
  call: DeviceCall,
  { devices, change }: { devices: DeviceSelection; change: DeviceChange },
): Promise<Answer<BulkResult>> {
  const problems = await unknownReferences(call.db, [
    { table: 'site', field: 'change.siteId', id: change.siteId },
    { table: 'org_unit', field: 'change.orgUnitId', id: change.orgUnitId },
    { table: 'person', field: 'change.ownerPersonId', id: change.ownerPersonId },
  ])
  if (problems.length > 0) return badInput(...problems)
  const columns = columnsOf(change)
  if (Object.keys(columns).length === 0) return badInput({ field: 'change', problem: 'changes nothing' })
  return await changeSelected(call, devices, 'device.write', async (tx, rows) => {
    const differing = rows.filter((row) => differs(row, columns))
    const allowed = await allowPlaces(tx, call, differing, columns)
    if (!allowed.ok) return allowed
    if (differing.length > 0)
      await updateDevices(
        tx,
        differing.map((row) => row.id),
        columns,
      )
    return ok(
      differing.map((row) => ({ ...factOf(call, row, 'device.assigned'), before: pick(row, columns), after: columns })),
    )
  })
}

/** Whether the caller may change devices wherever these will lie. */
async function allowPlaces(
  tx: Db,
  { actor }: DeviceCall,
  rows: readonly SelectedForChange[],
  columns: AssignedColumns,
): Promise<Answer<true>> {
  const places = new Map(
    rows.map((row) => {
      const orgUnitId = columns.org_unit_id === undefined ? row.org_unit_id : columns.org_unit_id
      const siteId = columns.site_id === undefined ? row.site_id : columns.site_id
      return [`${orgUnitId} ${siteId}`, { orgUnitId, siteId }]
    }),
  )
  for (const { orgUnitId, siteId } of places.values()) {
    const allowed = allow(actor, 'device.write', await placeOf(tx, orgUnitId, siteId))
    if (!allowed.ok) return allowed
  }
  return ok(true)
}

type DeviceFact = Parameters<typeof record>[1]

async function changeSelected(
  call: DeviceCall,
  selection: DeviceSelection,
  permission: Permission,
  change: (tx: Db, rows: readonly SelectedForChange[]) => Promise<Answer<readonly DeviceFact[]>>,
): Promise<Answer<BulkResult>> {
  const filter = await filterFrom(call, 'query' in selection ? selection.query : '', permission)
  if (!filter.ok) return filter
  const result = await writeWithin<BulkResult & { keyIds: string[] }>(call.db, async (tx, ask) => {
    const rows = await ask(async () => await lockSelected(tx, filter.value, selection))
    if ('deviceIds' in selection && rows.length < new Set(selection.deviceIds).size) return notFound('device')
    const facts = await change(tx, rows)
    if (!facts.ok) return facts
    for (const group of inGroups(facts.value)) await record(tx, ...group)
    const changed = facts.value.length
    return ok({ changed, unchanged: rows.length - changed, keyIds: facts.value.map((fact) => fact.subject.id) })
  })
  if (!result.ok) return result
  const { keyIds, ...counts } = result.value
  // The event comes a moment later; who asked must find the device changed at once.
  await call.fleet.refresh(keyIds.length > 1000 ? 'all' : keyIds)
  return ok(counts)
}

type AssignedColumns = Pick<Updateable<DeviceTable>, 'site_id' | 'org_unit_id' | 'owner_person_id' | 'roles' | 'tags'>

function columnsOf(change: DeviceChange): AssignedColumns {
  return {
    ...(change.siteId === undefined ? {} : { site_id: change.siteId }),
    ...(change.orgUnitId === undefined ? {} : { org_unit_id: change.orgUnitId }),
    ...(change.ownerPersonId === undefined ? {} : { owner_person_id: change.ownerPersonId }),
    ...(change.roles === undefined ? {} : { roles: Array.from(new Set(change.roles)).toSorted() }),
    ...(change.tags === undefined ? {} : { tags: Array.from(new Set(change.tags)).toSorted() }),
  }
}

function differs(row: SelectedForChange, columns: AssignedColumns): boolean {
  return JSON.stringify(pick(row, columns)) !== JSON.stringify(columns)
}

function pick(row: SelectedForChange, columns: AssignedColumns): object {
  return Object.fromEntries(Object.keys(columns).map((name) => [name, row[name as keyof AssignedColumns]]))
}

function factOf({ actor, now }: DeviceCall, row: { readonly key_id: string }, did: string): DeviceFact {
  return { actor, at: now, did, subject: { kind: 'device', id: row.key_id } }
}

function changedMeanwhile(version: number, seen: number) {
  return {
    rule: 'changed-meanwhile',
    fact: `Somebody changed this device since you looked: it is at version ${version}, you saw ${seen}.`,
    lifter: 'you',
    next: 'Look at it again and repeat your change if it is still right.',
  }
}

async function viewOf(call: DeviceCall, row: DeviceRecord): Promise<DeviceView> {
  const detail = await findDetail(call.db, row.id)
  if (detail === undefined) throw new Error(`Device ${row.id} is gone, and devices are never deleted`)
  const { site, site_code: siteCode, org_unit: orgUnit, org_code: orgCode, owner_name: owner } = detail
  return {
    ...rowView(call, detail),
    index: row.id,
    publicKey: row.public_key,
    stateSince: row.state_since.toString(),
    siteRef: site === null || siteCode === null ? null : { code: siteCode, name: site },
    orgUnitRef: orgUnit === null || orgCode === null ? null : { code: orgCode, name: orgUnit },
    owner: row.owner_person_id === null || owner === null ? null : { id: row.owner_person_id, name: owner },
    enrolledAt: row.enrolled_at.toString(),
    factsAt: row.facts_at?.toString() ?? null,
    facts: row.facts,
    packages: await packagesOfDevice(call.db, row.id),
    trustAnchor: trustAnchors.find((anchor) => anchor === row.facts['trust.anchor']) ?? 'none',
    drift: await driftOfDevice(call.db, row.id),
    generation: call.fleet.generation(row.id),
    version: row.version,
  }
}
