import { os } from '#/platform/http/os.ts'
import { answer } from '#/platform/lib/answer.ts'
import { listMemberKeys, registerMemberKey, retireMemberKey } from './member-key.service.ts'

const { memberKey } = os.decide

export const memberKeyRoutes = memberKey.router({
  list: memberKey.list.handler(async ({ context }) => ({
    items: await listMemberKeys(context, await context.services.repository.current()),
  })),
  register: memberKey.register.handler(async ({ input, context }) =>
    answer(await registerMemberKey(context, await context.services.repository.current(), input)),
  ),
  retire: memberKey.retire.handler(async ({ input, context }) =>
    answer(await retireMemberKey(context, await context.services.repository.current(), input.keyId, input.reason)),
  ),
})
