import type { ServiceId } from '@bascule/domain/lib/ids.ts'
import { type RawBuilder, sql } from 'kysely'
import type { Db } from '#/platform/db/database.ts'
import type { ServiceRecord } from '../configuration/configuration.tables.ts'

export type ServiceWithRelations = ServiceRecord & {
  readonly depends_on: string[]
  readonly needed_by: string[]
}

/** Services with the codes of what they need, what they consist of and who needs them. */
export async function findServices(db: Db, where: RawBuilder<unknown>, limit: number): Promise<ServiceWithRelations[]> {
  const { rows } = await sql<ServiceWithRelations>`
    select s.*,
      array(select ci.key from ci_relation r join ci on ci.id = r.to_id where r.from_id = s.id and r.kind = 'depends-on' order by 1) as depends_on,
      array(select ci.key from ci_relation r join ci on ci.id = r.from_id where r.to_id = s.id and r.kind = 'depends-on'
        and ci.state = 'in-use' order by 1) as needed_by
    from service s where ${where} order by lower(s.name), s.id limit ${limit}`.execute(db)
  return rows
}

export async function findService(db: Db, id: ServiceId): Promise<ServiceWithRelations | undefined> {
  return (await findServices(db, sql`s.id = ${id}::uuid`, 1))[0]
}

/** Dependencies change as a whole under one lock: two changes at once could otherwise close a circle. The number only names it. */
export async function lockDependencies(tx: Db): Promise<void> {
  await sql`select pg_advisory_xact_lock(7204503)`.execute(tx)
}

/** Services in force by their codes. */
export async function findServiceIds(tx: Db, codes: readonly string[]): Promise<Map<string, ServiceId>> {
  const rows = await tx
    .selectFrom('service')
    .select(['code', 'id'])
    .where(sql<boolean>`code = any(${codes}::text[])`)
    .where('retired_at', 'is', null)
    .execute()
  return new Map(rows.map((row) => [row.code, row.id]))
}

/** Whether the service is needed by itself, directly or over others. */
export async function isInCircle(tx: Db, id: ServiceId): Promise<boolean> {
  const { rows } = await sql`
    with recursive needs (id) as (
      select to_id from ci_relation where from_id = ${id}::uuid and kind = 'depends-on'
      union select r.to_id from needs join ci_relation r on r.from_id = needs.id and r.kind = 'depends-on')
    select 1 from needs where id = ${id}::uuid limit 1`.execute(tx)
  return rows.length > 0
}

/** Puts these dependencies in the place of all others. */
export async function replaceDependencies(
  tx: Db,
  id: ServiceId,
  needed: readonly ServiceId[],
  at: Temporal.Instant,
): Promise<void> {
  await sql`delete from ci_relation where from_id = ${id}::uuid and kind = 'depends-on'`.execute(tx)
  await sql`insert into ci_relation (from_id, kind, to_id, since_at)
    select ${id}::uuid, 'depends-on', needed, ${at}::timestamptz from unnest(${needed}::uuid[]) needed`.execute(tx)
}
