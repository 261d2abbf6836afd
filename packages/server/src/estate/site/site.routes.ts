import { os } from '#/platform/http/os.ts'
import { answer } from '#/platform/lib/answer.ts'
import { changeSite, createSite, getSite, importSites, listSites, retireSite } from './site.service.ts'

const { site } = os.estate

export const siteRoutes = site.router({
  list: site.list.handler(async ({ input, context }) => await listSites(context.db, input)),
  get: site.get.handler(async ({ input, context }) => answer(await getSite(context.db, input.siteId))),
  create: site.create.handler(async ({ input, context }) => answer(await createSite(context, input))),
  update: site.update.handler(async ({ input, context }) => answer(await changeSite(context, input))),
  retire: site.retire.handler(async ({ input, context }) => answer(await retireSite(context, input.siteId))),
  import: site.import.handler(async ({ input, context }) => answer(await importSites(context, input))),
})
