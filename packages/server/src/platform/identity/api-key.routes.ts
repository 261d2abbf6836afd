import { os } from '#/platform/http/os.ts'
import { answer } from '#/platform/lib/answer.ts'
import { createApiKey, listApiKeys, revokeApiKey } from './api-key.service.ts'

const { apiKey } = os.platform

export const apiKeyRoutes = apiKey.router({
  list: apiKey.list.handler(async ({ input, context }) => await listApiKeys(context, input)),
  create: apiKey.create.handler(async ({ input, context }) => answer(await createApiKey(context, input))),
  revoke: apiKey.revoke.handler(async ({ input, context }) => answer(await revokeApiKey(context, input.apiKeyId))),
})
