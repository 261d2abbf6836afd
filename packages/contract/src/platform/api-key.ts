import * as z from 'zod'
import { roleName } from '../estate/role.ts'
import { apiKeyId, orgUnitId, siteId } from '../lib/ids.ts'
import { PageInput, pageOf } from '../lib/paging.ts'
import { procedure } from '../lib/procedure.ts'
import { instant } from '../lib/time.ts'

export const ApiKeyView = z.object({
  id: apiKeyId,
  name: z.string(),
  start: z.string().describe('The first characters, to recognise the key by.'),
  role: roleName,
  orgUnitId: orgUnitId.nullable(),
  siteId: siteId.nullable(),
  madeBy: z.string(),
  createdAt: instant,
  expiresAt: instant,
  revokedAt: instant.nullable(),
})
export type ApiKeyView = z.infer<typeof ApiKeyView>

export const ApiKeyInput = z.object({
  name: z.string().trim().min(1).max(32),
  role: roleName.default('pipeline'),
  orgUnitId: orgUnitId.nullish(),
  siteId: siteId.nullish(),
  expiresInDays: z.int().min(1).max(366).default(90),
})
export type ApiKeyInput = z.infer<typeof ApiKeyInput>

export const apiKey = {
  list: procedure
    .meta({ permission: 'api-key.read' })
    .route({ method: 'GET', path: '/platform/api-keys', summary: 'List API keys' })
    .input(PageInput)
    .output(pageOf(ApiKeyView)),
  create: procedure
    .meta({ permission: 'api-key.write' })
    .route({
      method: 'POST',
      path: '/platform/api-keys',
      summary: 'Make an API key; it is shown once',
      successStatus: 201,
    })
    .input(ApiKeyInput)
    .output(ApiKeyView.extend({ key: z.string() })),
  revoke: procedure
    .meta({ permission: 'api-key.write' })
    .route({ method: 'POST', path: '/platform/api-keys/{apiKeyId}/revoke', summary: 'Revoke an API key' })
    .input(z.object({ apiKeyId }))
    .output(ApiKeyView),
}
