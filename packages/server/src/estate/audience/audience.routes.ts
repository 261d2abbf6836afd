import { os } from '#/platform/http/os.ts'
import { answer } from '#/platform/lib/answer.ts'
import { changeAudience, checkQuery, createAudience, listAudiences, retireAudience } from './saved-query.service.ts'

const { audience } = os.estate

export const audienceRoutes = audience.router({
  list: audience.list.handler(async ({ input, context }) => await listAudiences(context.db, input)),
  create: audience.create.handler(async ({ input, context }) => answer(await createAudience(context, input))),
  update: audience.update.handler(async ({ input, context }) => answer(await changeAudience(context, input))),
  retire: audience.retire.handler(async ({ input, context }) =>
    answer(await retireAudience(context, input.audienceId)),
  ),
  check: audience.check.handler(async ({ input, context }) => answer(await checkQuery(context.db, input.query))),
})
