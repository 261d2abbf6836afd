import { os } from '#/platform/http/os.ts'
import { answer } from '#/platform/lib/answer.ts'
import { differences, keepBaseline, listBaselines } from './baseline.service.ts'
import { getItem, listDrift, listHistory, listItems } from './configuration-lists.service.ts'

const { configuration } = os.estate

export const configurationRoutes = configuration.router({
  listItems: configuration.listItems.handler(async ({ input, context }) => await listItems(context, input)),
  getItem: configuration.getItem.handler(async ({ input, context }) => answer(await getItem(context, input.itemId))),
  history: configuration.history.handler(async ({ input, context }) => await listHistory(context, input)),
  baselines: configuration.baselines.handler(async ({ input, context }) => await listBaselines(context.db, input)),
  takeBaseline: configuration.takeBaseline.handler(async ({ input, context }) =>
    answer(await keepBaseline(context, input)),
  ),
  diffBaseline: configuration.diffBaseline.handler(async ({ input, context }) =>
    answer(await differences(context.db, input.baselineId, input.against)),
  ),
  drift: configuration.drift.handler(async ({ input, context }) => await listDrift(context, input)),
})
