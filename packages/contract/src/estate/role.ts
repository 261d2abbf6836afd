import { isPermission } from '@bascule/domain/estate/permission.ts'
import type { Permission } from '@bascule/domain/estate/permission.ts'
import { isRole, roles } from '@bascule/domain/estate/role.ts'
import type { Role } from '@bascule/domain/estate/role.ts'
import * as z from 'zod'
import { ImportResult, importInput, importRoute } from '../lib/csv.ts'
import { orgUnitId, personId, roleGrantId, siteId } from '../lib/ids.ts'
import { PageInput, pageOf } from '../lib/paging.ts'
import { procedure } from '../lib/procedure.ts'
import { instant } from '../lib/time.ts'

export const roleName = z.enum(Object.keys(roles).filter(isRole) as [Role, ...Role[]])
export const permissionName: z.ZodType<Permission, string> = z.string().refine(isPermission) as never

export const RoleView = z.object({
  role: roleName,
  title: z.string(),
  purpose: z.string(),
  allows: z.array(z.object({ permission: z.string(), means: z.string() })),
})

export const RoleGrantView = z.object({
  id: roleGrantId,
  personId,
  personName: z.string(),
  role: roleName,
  orgUnitId: orgUnitId.nullable().describe('Only within this org unit and all below it.'),
  siteId: siteId.nullable().describe('Only at this site.'),
  grantedAt: instant,
  grantedBy: z.string(),
})
export type RoleGrantView = z.infer<typeof RoleGrantView>

export const RoleGrantInput = z.object({
  personId,
  role: roleName,
  orgUnitId: orgUnitId.nullish(),
  siteId: siteId.nullish(),
})
export type RoleGrantInput = z.infer<typeof RoleGrantInput>

export const RoleGrantFilter = PageInput.extend({ personId: personId.optional(), role: roleName.optional() })
export type RoleGrantFilter = z.infer<typeof RoleGrantFilter>

export const RoleGrantRow = z.object({
  email: z.email().toLowerCase(),
  role: roleName,
  org_unit: z.string().optional(),
  site: z.string().optional(),
})
export type RoleGrantRow = z.infer<typeof RoleGrantRow>

export const role = {
  definitions: procedure
    .meta({ permission: 'role.read' })
    .route({ method: 'GET', path: '/estate/roles', summary: 'Show what each role allows' })
    .output(z.array(RoleView)),
  list: procedure
    .meta({ permission: 'role.read' })
    .route({ method: 'GET', path: '/estate/role-grants', summary: 'List who has which role' })
    .input(RoleGrantFilter)
    .output(pageOf(RoleGrantView)),
  grant: procedure
    .meta({ permission: 'role.grant' })
    .route({ method: 'POST', path: '/estate/role-grants', summary: 'Give a person a role', successStatus: 201 })
    .input(RoleGrantInput)
    .output(RoleGrantView),
  revoke: procedure
    .meta({ permission: 'role.grant' })
    .route({ method: 'DELETE', path: '/estate/role-grants/{roleGrantId}', summary: 'Take a role from a person' })
    .input(z.object({ roleGrantId }))
    .output(RoleGrantView),
  import: procedure
    .meta({ permission: 'role.grant', bodyBytes: 16_777_216 })
    .route(importRoute('/estate/role-grants/import', 'Give roles from a CSV file, all rows or none'))
    .input(importInput)
    .output(ImportResult),
}
