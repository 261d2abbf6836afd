import { permissions } from '@bascule/domain/estate/permission.ts'
import { isRole, roles } from '@bascule/domain/estate/role.ts'
import { os } from '#/platform/http/os.ts'
import { answer } from '#/platform/lib/answer.ts'
import { grantRole, importGrants, listGrants, revokeRole } from './role.service.ts'

const { role } = os.estate

/** The matrix as people read it; it is the same for everybody. */
const definitions = Object.keys(roles)
  .filter(isRole)
  .map((name) => {
    const { title, purpose, allows } = roles[name]
    return {
      role: name,
      title,
      purpose,
      allows: allows.map((permission) => ({ permission, means: permissions[permission] })),
    }
  })

export const roleRoutes = role.router({
  definitions: role.definitions.handler(() => definitions),
  list: role.list.handler(async ({ input, context }) => await listGrants(context, input)),
  grant: role.grant.handler(async ({ input, context }) => answer(await grantRole(context, input))),
  revoke: role.revoke.handler(async ({ input, context }) => answer(await revokeRole(context, input.roleGrantId))),
  import: role.import.handler(async ({ input, context }) => answer(await importGrants(context, input))),
})
