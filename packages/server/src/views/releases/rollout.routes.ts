import { ok } from '@bascule/domain/lib/result.ts'
import { excuseDevice, retryJobs } from '#/deliver/job/job.service.ts'
import { rolloutActions } from '#/deliver/rollout/rollout.routes.ts'
import { os } from '#/platform/http/os.ts'
import { answer, notFound } from '#/platform/lib/answer.ts'
import { listJobs, listJobsOfDevice, listReportsOfDevice } from './job-view.ts'
import { viewRollout } from './rollout-view.ts'

const { rollout, job, receipt } = os.deliver

export const rolloutRoutes = rollout.router({
  ...rolloutActions,
  get: rollout.get.handler(async ({ input, context }) => {
    const { countSilent } = context.services
    const view = await viewRollout({ db: context.db, countSilent }, input.releaseId, context.now)
    return answer(view ? ok(view) : notFound('rollout'))
  }),
})

export const jobRoutes = job.router({
  list: job.list.handler(async ({ input, context }) => await listJobs(context.db, input)),
  retry: job.retry.handler(async ({ input, context }) => ({
    retried: answer(await retryJobs(context, input.releaseId, input.devices)),
  })),
  excuse: job.excuse.handler(async ({ input, context }) => ({
    releaseId: answer(await excuseDevice(context, input.releaseId, input.device, input.reason)),
  })),
  ofDevice: job.ofDevice.handler(
    async ({ input, context }) => await listJobsOfDevice(context.db, input.deviceId, input.after, input.limit),
  ),
})

export const receiptRoutes = receipt.router({
  ofDevice: receipt.ofDevice.handler(
    async ({ input, context }) => await listReportsOfDevice(context.db, input.deviceId, input.after, input.limit),
  ),
})
