import type { RoleGrantFilter } from '@bascule/contract/estate/role.ts'
import type { Coverage, Role } from '@bascule/domain/estate/role.ts'
import type { OrgUnitId, PersonId, RoleGrantId, SiteId } from '@bascule/domain/lib/ids.ts'
import { sql } from 'kysely'
import type { Insertable } from 'kysely'
import type { Database, Db } from '#/platform/db/database.ts'
import { decodeCursor } from '#/platform/lib/keyset.ts'
import { isCovered } from '../lib/coverage.ts'
import '../person/person.tables.ts'
import './role.tables.ts'

export interface RoleGrantRow {
  id: RoleGrantId
  person_id: PersonId
  role: Role
  org_unit_id: OrgUnitId | null
  site_id: SiteId | null
  granted_at: Temporal.Instant
  granted_by: string
  revoked_at: Temporal.Instant | null
  person_name: string
}

function grants(db: Db) {
  return db
    .selectFrom('role_grant')
    .innerJoin('person', 'person.id', 'role_grant.person_id')
    .selectAll('role_grant')
    .select('person.name as person_name')
}

/** The grants in force of the people whom the caller may see. */
export async function findGrants(db: Db, filter: RoleGrantFilter, coverage: Coverage): Promise<RoleGrantRow[]> {
  const after = decodeCursor(filter.after)
  let query = grants(db)
    .where('revoked_at', 'is', null)
    .where('person.retired_at', 'is', null)
    .where(isCovered(coverage, { orgUnit: 'person.org_unit_id', site: 'person.site_id' }))
  if (filter.personId) query = query.where('person_id', '=', filter.personId)
  if (filter.role) query = query.where('role', '=', filter.role)
  if (after)
    query = query.where(sql<boolean>`(granted_at, role_grant.id) > (${after.key}::timestamptz, ${after.id}::uuid)`)
  return await query
    .orderBy('granted_at')
    .orderBy('role_grant.id')
    .limit(filter.limit + 1)
    .execute()
}

export async function findGrantsOf(db: Db, personId: PersonId): Promise<RoleGrantRow[]> {
  return await grants(db).where('person_id', '=', personId).where('revoked_at', 'is', null).execute()
}

/** Locks all grants of a role, so that two administrators cannot take the last two grants at once. */
export async function lockRole(tx: Db, role: Role): Promise<RoleGrantRow[]> {
  await tx
    .selectFrom('role_grant')
    .select('id')
    .where('role', '=', role)
    .where('revoked_at', 'is', null)
    .orderBy('id')
    .forUpdate()
    .execute()
  return await grants(tx)
    .where('role', '=', role)
    .where('revoked_at', 'is', null)
    .where('person.retired_at', 'is', null)
    .execute()
}

export async function findGrant(db: Db, id: RoleGrantId): Promise<RoleGrantRow | undefined> {
  return await grants(db).where('role_grant.id', '=', id).executeTakeFirst()
}

/** Whether the grant is new; the same one twice is no error and no second row. */
export async function insertGrant(tx: Db, grant: Insertable<Database['role_grant']>): Promise<boolean> {
  const inserted = await tx
    .insertInto('role_grant')
    .values(grant)
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst()
  return inserted !== undefined
}

export async function revokeGrant(tx: Db, id: RoleGrantId, now: Temporal.Instant): Promise<void> {
  await tx.updateTable('role_grant').set({ revoked_at: now }).where('id', '=', id).execute()
}
