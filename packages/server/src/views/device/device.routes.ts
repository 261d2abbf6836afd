import { callOf, deviceActions } from '#/estate/device/device.routes.ts'
import { os } from '#/platform/http/os.ts'
import { answer } from '#/platform/lib/answer.ts'
import { viewDevice } from './device-view.ts'

const { device } = os.estate

/** Devices are the estate's; who let a release onto one stands in its receipts, which the delivery keeps. */
export const deviceRoutes = device.router({
  ...deviceActions,
  get: device.get.handler(async ({ input, context }) => answer(await viewDevice(callOf(context), input.deviceId))),
})
