import type { OrgUnitChange, OrgUnitFilter, OrgUnitInput, OrgUnitView } from '@bascule/contract/estate/org-unit.ts'
import type { Page } from '@bascule/contract/lib/paging.ts'
import type { OrgUnitId } from '@bascule/domain/lib/ids.ts'
import { ok } from '@bascule/domain/lib/result.ts'
import type { Db } from '#/platform/db/database.ts'
import type { Call } from '#/platform/http/os.ts'
import { record } from '#/platform/ledger/record.ts'
import type { Fact } from '#/platform/ledger/record.ts'
import { allow } from '#/platform/lib/actor.ts'
import { badInput, notFound, refused } from '#/platform/lib/answer.ts'
import type { Answer } from '#/platform/lib/answer.ts'
import { newId } from '#/platform/lib/id.ts'
import { pageFrom } from '#/platform/lib/keyset.ts'
import { alreadyThere, changedMeanwhile, entityView } from '../lib/entity.ts'
import {
  countContents,
  findOrgUnit,
  findOrgUnits,
  findOrgUnitsByCode,
  insertOrgUnit,
  lockTree,
  moveBelow,
  updateOrgUnit,
} from './org-unit.store.ts'
import type { OrgUnitRow } from './org-unit.store.ts'

export async function listOrgUnits(db: Db, filter: OrgUnitFilter): Promise<Page<OrgUnitView>> {
  const rows = await findOrgUnits(db, filter)
  return pageFrom(rows, filter.limit, (row) => ({ key: row.name.toLowerCase(), id: row.id }), viewOf)
}

export async function getOrgUnit(db: Db, id: OrgUnitId): Promise<Answer<OrgUnitView>> {
  const row = await findOrgUnit(db, id)
  return row === undefined ? notFound('org unit') : ok(viewOf(row))
}

export async function createOrgUnit(call: Call, input: OrgUnitInput): Promise<Answer<OrgUnitView>> {
  return await call.db.transaction().execute(async (tx) => {
    await lockTree(tx)
    const created = await addUnit(tx, call, input)
    return created.ok ? ok(viewOf(created.value)) : created
  })
}

/** One more unit below an existing one. The caller holds the tree. */
export async function addUnit(tx: Db, call: Call, input: OrgUnitInput): Promise<Answer<OrgUnitRow>> {
  const parent = await parentOf(tx, input.parentId)
  if (!parent.ok) return parent
  const allowed = allow(call.actor, 'org-unit.write', { orgUnitPath: parent.value?.path ?? [] })
  if (!allowed.ok) return allowed
  const taken = await findOrgUnitsByCode(tx, [input.code])
  if (taken.size > 0) return refused(alreadyThere('an org unit', 'code', input.code))
  const id = newId<OrgUnitId>()
  const path = [...(parent.value?.path ?? []), id]
  const { code, name } = input
  const row = await insertOrgUnit(tx, { id, code, name, parent_id: input.parentId ?? null, path, created_at: call.now })
  await record(tx, factOf(call, 'org-unit.created', undefined, row))
  return ok(row)
}

export async function changeOrgUnit(call: Call, input: OrgUnitChange): Promise<Answer<OrgUnitView>> {
  return await call.db.transaction().execute(async (tx) => {
    await lockTree(tx)
    const changed = await changeUnit(tx, call, input)
    return changed.ok ? ok(viewOf(changed.value)) : changed
  })
}

/** Renames or moves a unit. A move needs the permission at both ends and never makes a circle. */
export async function changeUnit(tx: Db, call: Call, input: OrgUnitChange): Promise<Answer<OrgUnitRow>> {
  const before = await writableUnit(tx, call, input.orgUnitId, input.version)
  if (!before.ok) return before
  const code = input.code ?? before.value.code
  const taken = (await findOrgUnitsByCode(tx, [code])).get(code)
  if (taken !== undefined && taken.id !== before.value.id) return refused(alreadyThere('an org unit', 'code', code))
  const isMove = input.parentId !== undefined && input.parentId !== before.value.parent_id
  if (isMove) {
    const moved = await moveUnit(tx, call, before.value, input.parentId ?? null)
    if (!moved.ok) return moved
  }
  const parent = isMove ? { parent_id: input.parentId ?? null } : {}
  const after = await updateOrgUnit(tx, before.value.id, { code, name: input.name ?? before.value.name, ...parent })
  await record(tx, factOf(call, isMove ? 'org-unit.moved' : 'org-unit.changed', before.value, after))
  return ok(after)
}

async function moveUnit(tx: Db, call: Call, unit: OrgUnitRow, parentId: OrgUnitId | null): Promise<Answer<true>> {
  const parent = await parentOf(tx, parentId)
  if (!parent.ok) return parent
  const path = parent.value?.path ?? []
  const allowed = allow(call.actor, 'org-unit.write', { orgUnitPath: path })
  if (!allowed.ok) return allowed
  if (path.includes(unit.id)) return refused(circle(unit.name))
  await moveBelow(tx, unit, path)
  return ok(true)
}

export async function retireOrgUnit(call: Call, id: OrgUnitId): Promise<Answer<OrgUnitView>> {
  return await call.db.transaction().execute(async (tx) => {
    await lockTree(tx)
    const before = await writableUnit(tx, call, id, undefined)
    if (!before.ok) return before
    const { units, people } = await countContents(tx, id)
    if (units + people > 0) return refused(notEmpty(units, people))
    const after = await updateOrgUnit(tx, id, { retired_at: call.now })
    await record(tx, factOf(call, 'org-unit.retired', before.value, after))
    return ok(viewOf(after))
  })
}

async function writableUnit(
  tx: Db,
  call: Call,
  id: OrgUnitId,
  version: number | undefined,
): Promise<Answer<OrgUnitRow>> {
  const row = await findOrgUnit(tx, id)
  if (row === undefined) return notFound('org unit')
  const allowed = allow(call.actor, 'org-unit.write', { orgUnitPath: row.path })
  if (!allowed.ok) return allowed
  const refusal = changedMeanwhile(version, row)
  return refusal ? refused(refusal) : ok(row)
}

async function parentOf(tx: Db, parentId: OrgUnitId | null | undefined): Promise<Answer<OrgUnitRow | undefined>> {
  if (parentId == null) return ok(undefined)
  const parent = await findOrgUnit(tx, parentId)
  if (parent !== undefined && parent.retired_at === null) return ok(parent)
  return badInput({ field: 'parentId', problem: 'is no org unit in force' })
}

function circle(name: string) {
  return {
    rule: 'no-circle',
    fact: `${name} would lie below itself.`,
    lifter: 'nobody',
    next: 'Choose a parent that is not below this unit.',
  }
}

function notEmpty(units: number, people: number) {
  return {
    rule: 'org-unit-in-use',
    fact: `There are ${units} units and ${people} people in it.`,
    lifter: 'who changes people and org units',
    next: 'Move them to another unit first.',
  }
}

function factOf(call: Call, did: string, before: OrgUnitRow | undefined, after: OrgUnitRow): Fact {
  const subject = { kind: 'org-unit', id: after.id }
  return { actor: call.actor, at: call.now, did, subject, before: before && viewOf(before), after: viewOf(after) }
}

function viewOf(row: OrgUnitRow): OrgUnitView {
  return { id: row.id, code: row.code, name: row.name, parentId: row.parent_id, path: row.path, ...entityView(row) }
}
