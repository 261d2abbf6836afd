import { callOf } from '#/estate/device/device.routes.ts'
import { os } from '#/platform/http/os.ts'
import { answer } from '#/platform/lib/answer.ts'
import { countRefusals, listFleet, listFleetAnchors } from './fleet-view.ts'

const { fleet } = os.views

export const fleetRoutes = fleet.router({
  list: fleet.list.handler(async ({ input, context }) => answer(await listFleet(callOf(context), input))),
  anchors: fleet.anchors.handler(async ({ input, context }) => answer(await listFleetAnchors(callOf(context), input))),
  refusals: fleet.refusals.handler(async ({ input, context }) => ({
    items: answer(await countRefusals(callOf(context), input.release)),
  })),
})
