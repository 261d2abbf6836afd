import { os } from '#/platform/http/os.ts'
import { answer } from '#/platform/lib/answer.ts'
import { createEnrolmentToken, listEnrolmentTokens, revokeEnrolmentToken } from './enrolment-token.service.ts'

const { enrolmentToken } = os.estate

export const enrolmentTokenRoutes = enrolmentToken.router({
  list: enrolmentToken.list.handler(async ({ input, context }) => await listEnrolmentTokens(context, input)),
  create: enrolmentToken.create.handler(async ({ input, context }) =>
    answer(await createEnrolmentToken(context, input, context.services.repository.files.get('1.root.json') ?? null)),
  ),
  revoke: enrolmentToken.revoke.handler(async ({ input, context }) =>
    answer(await revokeEnrolmentToken(context, input.enrolmentTokenId)),
  ),
})
