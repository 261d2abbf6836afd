import type { DeviceCall } from '#/estate/device/device-list.service.ts'
import { os } from '#/platform/http/os.ts'
import type { CallContext } from '#/platform/http/os.ts'
import { answer } from '#/platform/lib/answer.ts'
import { listFleet, listFleetAnchors } from './fleet-view.ts'

const { fleet } = os.views

function callOf(context: CallContext): DeviceCall {
  return { db: context.db, actor: context.actor, now: context.now, fleet: context.services.fleet }
}

export const fleetRoutes = fleet.router({
  list: fleet.list.handler(async ({ input, context }) => answer(await listFleet(callOf(context), input))),
  anchors: fleet.anchors.handler(async ({ input, context }) => answer(await listFleetAnchors(callOf(context), input))),
})
