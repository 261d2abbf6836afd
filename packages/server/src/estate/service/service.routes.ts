import { os } from '#/platform/http/os.ts'
import { answer } from '#/platform/lib/answer.ts'
import { changeService, createService, getService, listServices, retireService } from './service.service.ts'

const { service } = os.estate

export const serviceRoutes = service.router({
  list: service.list.handler(async ({ input, context }) => await listServices(context.db, input)),
  get: service.get.handler(async ({ input, context }) => answer(await getService(context.db, input.serviceId))),
  create: service.create.handler(async ({ input, context }) => answer(await createService(context, input))),
  update: service.update.handler(async ({ input, context }) => answer(await changeService(context, input))),
  retire: service.retire.handler(async ({ input, context }) => answer(await retireService(context, input.serviceId))),
})
