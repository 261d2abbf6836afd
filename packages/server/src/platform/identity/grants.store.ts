import type { Grant } from '@bascule/domain/estate/role.ts'
import type { PersonId } from '@bascule/domain/lib/ids.ts'
import type { Actor } from '#/platform/lib/actor.ts'
import type { Db } from '#/platform/db/database.ts'
import '#/estate/person/person.tables.ts'
import '#/estate/role/role.tables.ts'
import './identity.tables.ts'

/** The person as somebody who acts, with the roles in force; undefined for who is retired or unknown. */
export async function findPersonActor(db: Db, personId: string): Promise<Actor | undefined> {
  const rows = await db
    .selectFrom('person')
    .leftJoin('role_grant', (join) =>
      join.onRef('role_grant.person_id', '=', 'person.id').on('role_grant.revoked_at', 'is', null),
    )
    .select(['person.name', 'role_grant.role', 'role_grant.org_unit_id', 'role_grant.site_id'])
    .where('person.id', '=', personId as PersonId)
    .where('person.retired_at', 'is', null)
    .execute()
  const [first] = rows
  if (first === undefined) return undefined
  const grants = rows.flatMap(({ role, org_unit_id, site_id }) =>
    role === null ? [] : [grantFrom(role, org_unit_id, site_id)],
  )
  return { kind: 'person', id: personId, name: first.name, grants }
}

/** The machine that holds the key with this hash, unless it is revoked or expired. */
export async function findMachineActor(db: Db, hash: Buffer, now: Temporal.Instant): Promise<Actor | undefined> {
  const key = await db
    .selectFrom('api_key')
    .select(['id', 'name', 'role', 'org_unit_id', 'site_id'])
    .where('hash', '=', hash)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst()
  if (key === undefined) return undefined
  return { kind: 'machine', id: key.id, name: key.name, grants: [grantFrom(key.role, key.org_unit_id, key.site_id)] }
}

export function grantFrom(role: Grant['role'], orgUnitId: string | null, siteId: string | null): Grant {
  return { role, orgUnit: orgUnitId ?? undefined, site: siteId ?? undefined }
}
