import type { ServiceChange, ServiceInput, ServiceView } from '@bascule/contract/estate/service.ts'
import type { Page } from '@bascule/contract/lib/paging.ts'
import type { ConfigurationItemId, ServiceId } from '@bascule/domain/lib/ids.ts'
import { ok } from '@bascule/domain/lib/result.ts'
import { sql } from 'kysely'
import type { Db } from '#/platform/db/database.ts'
import type { Call } from '#/platform/http/os.ts'
import { type Fact, record } from '#/platform/ledger/record.ts'
import { allow } from '#/platform/lib/actor.ts'
import { badInput, notFound, refused, type Answer } from '#/platform/lib/answer.ts'
import { newId } from '#/platform/lib/id.ts'
import { decodeCursor, pageFrom } from '#/platform/lib/keyset.ts'
import { alreadyThere, changedMeanwhile, entityView, givenColumns } from '../lib/entity.ts'
import { unknownReferences } from '../lib/references.ts'
import { undoUnless } from '../lib/undo.ts'
import type { ServiceRecord } from '../configuration/configuration.tables.ts'
import {
  findService,
  findServiceIds,
  findServices,
  isInCircle,
  lockDependencies,
  replaceDependencies,
  type ServiceWithRelations,
} from './service.store.ts'

export async function listServices(
  db: Db,
  { after, limit, search }: { after?: string | undefined; limit: number; search?: string | undefined },
): Promise<Page<ServiceView>> {
  const cursor = decodeCursor(after)
  const where = sql`s.retired_at is null
    and ${search === undefined ? sql`true` : sql`strpos(lower(s.name || ' ' || s.code), lower(${search})) > 0`}
    and ${cursor === undefined ? sql`true` : sql`(lower(s.name), s.id) > (${cursor.key}, ${cursor.id}::uuid)`}`
  const rows = await findServices(db, where, limit + 1)
  return pageFrom(rows, limit, (row) => ({ key: row.name.toLowerCase(), id: row.id }), viewOf)
}

export async function getService(db: Db, id: ServiceId): Promise<Answer<ServiceView>> {
  const row = await findService(db, id)
  return row === undefined ? notFound('service') : ok(viewOf(row))
}

/** Adds a service together with its configuration item. */
export async function createService(call: Call, input: ServiceInput): Promise<Answer<ServiceView>> {
  const allowed = allow(call.actor, 'service.write', {})
  if (!allowed.ok) return allowed
  return await undoUnless(call.db, async (tx) => {
    if ((await findServiceIds(tx, [input.code])).size > 0) return refused(alreadyThere('a service', 'code', input.code))
    const id = newId<ServiceId>()
    await tx
      .insertInto('ci')
      .values({
        id: id as string as ConfigurationItemId,
        class: 'service',
        key: input.code,
        name: input.name,
        device_id: null,
        since_at: call.now,
      })
      .onConflict((conflict) => conflict.columns(['class', 'key']).doNothing())
      .execute()
    const item = await tx
      .selectFrom('ci')
      .select('id')
      .where('class', '=', 'service')
      .where('key', '=', input.code)
      .executeTakeFirstOrThrow()
    if ((item.id as string) !== id) return refused(alreadyThere('a retired service', 'code', input.code))
    await tx
      .insertInto('service')
      .values({
        ...columnsOf(input),
        id,
        code: input.code,
        name: input.name,
        criticality: input.criticality,
        time_zone: input.timeZone,
        purpose: input.purpose,
        owner_person_id: input.ownerPersonId,
        org_unit_id: input.orgUnitId,
        created_at: call.now,
        retired_at: null,
      })
      .execute()
    return await finish(tx, call, 'service.created', id, undefined, input)
  })
}

export async function changeService(
  call: Call,
  { serviceId, version, ...input }: ServiceChange,
): Promise<Answer<ServiceView>> {
  const allowed = allow(call.actor, 'service.write', {})
  if (!allowed.ok) return allowed
  return await undoUnless(call.db, async (tx) => {
    await tx.selectFrom('service').select('id').where('id', '=', serviceId).forUpdate().executeTakeFirst()
    const before = await findService(tx, serviceId)
    if (before === undefined) return notFound('service')
    const refusal = changedMeanwhile(version, before)
    if (refusal) return refused(refusal)
    await tx
      .updateTable('service')
      .set({ ...columnsOf(input), version: sql`version + 1` })
      .where('id', '=', serviceId)
      .execute()
    if (input.name !== undefined)
      await tx.updateTable('ci').set({ name: input.name }).where('id', '=', itemOf(serviceId)).execute()
    return await finish(tx, call, 'service.changed', serviceId, before, input)
  })
}

/** A service that others need is not retired. Its item and its history stay. */
export async function retireService(call: Call, id: ServiceId): Promise<Answer<ServiceView>> {
  const allowed = allow(call.actor, 'service.write', {})
  if (!allowed.ok) return allowed
  return await undoUnless(call.db, async (tx) => {
    await lockDependencies(tx)
    const before = await findService(tx, id)
    if (before === undefined) return notFound('service')
    const refusal = changedMeanwhile(undefined, before)
    if (refusal) return refused(refusal)
    if (before.needed_by.length > 0) return refused(neededBy(before))
    await tx
      .updateTable('service')
      .set({ retired_at: call.now, version: sql`version + 1` })
      .where('id', '=', id)
      .execute()
    await tx.updateTable('ci').set({ state: 'retired', since_at: call.now }).where('id', '=', itemOf(id)).execute()
    return await finish(tx, call, 'service.retired', id, before, {})
  })
}

type Fields = Omit<ServiceChange, 'serviceId' | 'version'>
type Relations = Pick<Fields, 'dependsOn' | 'ownerPersonId' | 'orgUnitId'>

/** What every change ends with: references that hold, relations, history of the item, the fact. */
async function finish(
  tx: Db,
  call: Call,
  did: string,
  id: ServiceId,
  before: ServiceWithRelations | undefined,
  input: Relations,
): Promise<Answer<ServiceView>> {
  const problems = await unknownReferences(tx, [
    { table: 'person', field: 'ownerPersonId', id: input.ownerPersonId },
    { table: 'org_unit', field: 'orgUnitId', id: input.orgUnitId },
  ])
  if (problems.length > 0) return badInput(...problems)
  const related = await relate(tx, id, input, call.now)
  if (!related.ok) return related
  const after = await findService(tx, id)
  if (after === undefined) return notFound('service')
  const fact: Fact = {
    actor: call.actor,
    at: call.now,
    did,
    subject: { kind: 'service', id },
    before: before && viewOf(before),
    after: viewOf(after),
  }
  const factId = await record(tx, fact)
  await tx
    .insertInto('ci_history')
    .values({
      at: call.now,
      ci_id: itemOf(id),
      change: changeOf(did),
      before: jsonOf(before),
      after: jsonOf(after),
      release_id: null,
      source: `ledger/${factId}`,
    })
    .execute()
  return ok(viewOf(after))
}

async function relate(tx: Db, id: ServiceId, { dependsOn }: Relations, at: Temporal.Instant): Promise<Answer<true>> {
  if (dependsOn !== undefined) {
    await lockDependencies(tx)
    const codes = Array.from(new Set(dependsOn))
    const known = await findServiceIds(tx, codes)
    const unknown = codes.filter((code) => !known.has(code))
    if (unknown.length > 0)
      return badInput(...unknown.map((code) => ({ field: 'dependsOn', problem: `${code} is no service in force` })))
    await replaceDependencies(tx, id, Array.from(known.values()), at)
    if (await isInCircle(tx, id)) return badInput({ field: 'dependsOn', problem: 'makes the service need itself' })
  }
  return ok(true)
}

type ServiceColumns = Pick<
  ServiceRecord,
  'name' | 'purpose' | 'criticality' | 'owner_person_id' | 'org_unit_id' | 'time_zone' | 'uses'
>

function columnsOf(input: Fields) {
  const plain = givenColumns<Fields, ServiceColumns>(input, {
    name: 'name',
    purpose: 'purpose',
    criticality: 'criticality',
    owner_person_id: 'ownerPersonId',
    org_unit_id: 'orgUnitId',
    time_zone: 'timeZone',
    uses: 'uses',
  })
  return input.hours === undefined ? plain : { ...plain, hours: JSON.stringify(input.hours) }
}

function itemOf(id: ServiceId): ConfigurationItemId {
  return id as string as ConfigurationItemId
}

function changeOf(did: string): 'added' | 'changed' | 'retired' {
  if (did === 'service.created') return 'added'
  return did === 'service.retired' ? 'retired' : 'changed'
}

function jsonOf(row: ServiceWithRelations | undefined): string | null {
  return row === undefined ? null : JSON.stringify(viewOf(row))
}

function neededBy({ needed_by: codes }: ServiceWithRelations) {
  return {
    rule: 'service-needed',
    fact: `${codes.join(', ')} ${codes.length === 1 ? 'needs' : 'need'} this service.`,
    lifter: 'who owns these services',
    next: 'Take the dependency out of them first.',
  }
}

function viewOf(row: ServiceWithRelations): ServiceView {
  return {
    id: row.id,
    code: row.code,
    name: row.name,
    purpose: row.purpose,
    criticality: row.criticality,
    ownerPersonId: row.owner_person_id,
    orgUnitId: row.org_unit_id,
    timeZone: row.time_zone,
    hours: row.hours,
    dependsOn: row.depends_on,
    uses: row.uses,
    neededBy: row.needed_by,
    ...entityView(row),
  }
}
