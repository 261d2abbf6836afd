import type { api } from '@bascule/contract/api.ts'
import { createORPCClient } from '@orpc/client'
import type { ContractRouterClient } from '@orpc/contract'
import type { JsonifiedClient } from '@orpc/openapi-client'
import { OpenAPILink } from '@orpc/openapi-client/fetch'
import { createTanstackQueryUtils } from '@orpc/tanstack-query'
import { routes } from 'virtual:api-routes'

export type Client = JsonifiedClient<ContractRouterClient<typeof api>>

/** The API as functions. A refusal is thrown as an error that `problemFrom` understands. */
export const client: Client = createORPCClient(new OpenAPILink(routes, { url: `${location.origin}/api` }))

/** The same as query and mutation options. */
export const orpc = createTanstackQueryUtils(client)
