import { os } from '#/platform/http/os.ts'
import { answer } from '#/platform/lib/answer.ts'
import { getLayers, getPackage, getVersion, listFiles, listPackages, retireVersion } from './library.service.ts'

const { library } = os.estate

export const libraryRoutes = library.router({
  listPackages: library.listPackages.handler(async ({ input, context }) => await listPackages(context.db, input)),
  getPackage: library.getPackage.handler(async ({ input, context }) =>
    answer(await getPackage(context.db, input.name)),
  ),
  getVersion: library.getVersion.handler(async ({ input, context }) =>
    answer(await getVersion(context.db, input.name, input.version)),
  ),
  listFiles: library.listFiles.handler(async ({ input, context }) =>
    answer(await listFiles(context.db, input.name, input.version, input)),
  ),
  getLayers: library.getLayers.handler(async ({ input, context }) =>
    answer(await getLayers(context.services, input.name, input.version, input.variant)),
  ),
  retireVersion: library.retireVersion.handler(async ({ input, context }) =>
    answer(await retireVersion(context, input.name, input.version)),
  ),
})
