import { soloRoles } from '@bascule/domain/estate/role.ts'
import * as z from 'zod'
import { permissionName, roleName } from '../estate/role.ts'
import { orgUnitId, personId, siteId } from '../lib/ids.ts'
import { procedure } from '../lib/procedure.ts'
import { instant } from '../lib/time.ts'

const password = z.string().min(10, 'needs 10 characters or more').max(128)

export const GrantView = z.object({ role: roleName, orgUnitId: orgUnitId.nullable(), siteId: siteId.nullable() })

export const SessionView = z.object({
  actor: z.object({ kind: z.enum(['person', 'machine']), id: z.string(), name: z.string() }),
  person: z
    .object({ id: personId, name: z.string(), email: z.string(), language: z.string(), timeZone: z.string() })
    .nullable()
    .describe('Null for a machine with an API key.'),
  grants: z.array(GrantView),
  permissions: z.array(permissionName).describe('What you may do at one place at least.'),
  server: z.object({
    epoch: z.string().describe('Changes with every restore from a backup: forget what you remember of the server.'),
    environment: z.string(),
    now: instant,
  }),
})
export type SessionView = z.infer<typeof SessionView>

export const session = {
  me: procedure
    .meta({ permission: 'session.read' })
    .route({ method: 'GET', path: '/platform/session', summary: 'Show who you are and what you may do' })
    .output(SessionView),
  setPassword: procedure
    .meta({ permission: 'session.write' })
    .route({ method: 'POST', path: '/platform/session/password', summary: 'Set your own password' })
    .input(
      z.object({
        current: z.string().max(128).optional().describe('Needed when you have a password already.'),
        password,
      }),
    )
    .output(z.object({ changed: z.literal(true) })),
  makeLink: procedure
    .meta({ permission: 'role.grant' })
    .route({
      method: 'POST',
      path: '/platform/sign-in-links',
      summary: 'Make a link that signs a person in once',
      successStatus: 201,
    })
    .input(z.object({ personId }))
    .output(z.object({ url: z.string(), expiresAt: instant })),
}

export const ClaimInput = z.object({
  code: z.string().min(20).max(100),
  name: z.string().trim().min(1).max(200),
  email: z.email().max(254).toLowerCase(),
  password,
  timeZone: z.string().max(64).optional(),
  roles: z
    .array(z.enum(soloRoles))
    .max(soloRoles.length)
    .default([])
    .describe('What you take on beside the administrator’s role, because nobody else is here yet.'),
})
export type ClaimInput = z.infer<typeof ClaimInput>

export const welcome = {
  claim: procedure
    .meta({ permission: 'public' })
    .route({
      method: 'POST',
      path: '/platform/welcome',
      summary: 'Become the first administrator with the code that the first start printed',
      successStatus: 201,
    })
    .input(ClaimInput)
    .output(z.object({ personId, email: z.string() })),
}
