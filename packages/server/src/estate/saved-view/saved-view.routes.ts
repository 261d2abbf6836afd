import { os } from '#/platform/http/os.ts'
import { answer } from '#/platform/lib/answer.ts'
import { changeSavedView, createSavedView, deleteSavedView, listSavedViews } from './saved-view.service.ts'

const { savedView } = os.estate

export const savedViewRoutes = savedView.router({
  list: savedView.list.handler(async ({ context }) => await listSavedViews(context)),
  create: savedView.create.handler(async ({ input, context }) => answer(await createSavedView(context, input))),
  update: savedView.update.handler(async ({ input, context }) => answer(await changeSavedView(context, input))),
  remove: savedView.remove.handler(async ({ input, context }) =>
    answer(await deleteSavedView(context, input.savedViewId)),
  ),
})
