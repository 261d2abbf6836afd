import type { Permission } from '@bascule/domain/estate/permission.ts'
import { ok, type Result } from '@bascule/domain/lib/result.ts'
import type { Db } from '#/platform/db/database.ts'
import { allow, type Actor } from '#/platform/lib/actor.ts'
import type { Denied } from '#/platform/lib/answer.ts'

/**
 * A rollout reaches devices everywhere, so what is done to it as a whole needs a role that holds everywhere. A role for
 * one site or org unit is enough for what is done to single devices there; see `wherePermitted`.
 */
export function everywherePermitted(actor: Actor, permission: Permission): Result<true, Denied> {
  return allow(actor, permission, {})
}

/** Whether the actor may do this to each of these devices; one outside of the actor's reach refuses all of them. */
export async function wherePermitted(
  db: Db,
  actor: Actor,
  permission: Permission,
  deviceKeyIds: readonly string[],
): Promise<Result<true, Denied>> {
  const everywhere = everywherePermitted(actor, permission)
  if (everywhere.ok) return everywhere
  const devices = await db
    .selectFrom('device')
    .leftJoin('org_unit', 'org_unit.id', 'device.org_unit_id')
    .select(['device.site_id', 'org_unit.path'])
    .where('device.key_id', 'in', [...deviceKeyIds])
    .execute()
  const denied = devices
    .map(({ site_id: site, path }) =>
      allow(actor, permission, { site: site ?? undefined, orgUnitPath: path ?? undefined }),
    )
    .find((one) => !one.ok)
  return denied ?? ok(true)
}
