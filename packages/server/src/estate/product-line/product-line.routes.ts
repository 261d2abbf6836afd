import { os } from '#/platform/http/os.ts'
import { answer } from '#/platform/lib/answer.ts'
import {
  changeProductLine,
  createProductLine,
  getProductLine,
  listProductLines,
  retireProductLine,
} from './product-line.service.ts'

const { productLine } = os.estate

export const productLineRoutes = productLine.router({
  list: productLine.list.handler(async ({ input, context }) => await listProductLines(context.db, input)),
  get: productLine.get.handler(async ({ input, context }) =>
    answer(await getProductLine(context.db, input.productLineId)),
  ),
  create: productLine.create.handler(async ({ input, context }) => answer(await createProductLine(context, input))),
  update: productLine.update.handler(async ({ input, context }) => answer(await changeProductLine(context, input))),
  retire: productLine.retire.handler(async ({ input, context }) =>
    answer(await retireProductLine(context, input.productLineId)),
  ),
})
