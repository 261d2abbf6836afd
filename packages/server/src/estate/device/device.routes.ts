import type { CallContext } from '#/platform/http/os.ts'
import { os } from '#/platform/http/os.ts'
import { answer } from '#/platform/lib/answer.ts'
import { countMatching, type DeviceCall, listAnchors, listDevices } from './device-list.service.ts'
import { assignDevices, changeDeviceState, renameDevice } from './device.service.ts'

const { device } = os.estate

export function callOf(context: CallContext): DeviceCall {
  return { db: context.db, actor: context.actor, now: context.now, fleet: context.services.fleet }
}

/** All but one device at a glance, which is a view across wings; see `views/device`. */
export const deviceActions = {
  list: device.list.handler(async ({ input, context }) => answer(await listDevices(callOf(context), input))),
  anchors: device.anchors.handler(async ({ input, context }) => answer(await listAnchors(callOf(context), input))),
  count: device.count.handler(async ({ input, context }) => answer(await countMatching(callOf(context), input.query))),
  rename: device.rename.handler(async ({ input, context }) => answer(await renameDevice(callOf(context), input))),
  assign: device.assign.handler(async ({ input, context }) => answer(await assignDevices(callOf(context), input))),
  approve: device.approve.handler(async ({ input, context }) =>
    answer(await changeDeviceState(callOf(context), { ...input, action: 'approve' })),
  ),
  changeState: device.changeState.handler(async ({ input, context }) =>
    answer(await changeDeviceState(callOf(context), input)),
  ),
}
