import {
  cancelRelease,
  changeRelease,
  createRelease,
  findRelease,
  previewPlan,
} from '#/plan/release/release.service.ts'
import { os } from '#/platform/http/os.ts'
import { answer, notFound } from '#/platform/lib/answer.ts'
import { ok } from '@bascule/domain/lib/result.ts'
import { listReleaseRows, viewRelease } from './release-view.ts'

const { release } = os.plan

/** Releases as people see them: the plan beside how its rollout stands, so they live above both wings. */
export const releaseRoutes = release.router({
  list: release.list.handler(async ({ input, context }) => await listReleaseRows(context.db, input)),
  get: release.get.handler(async ({ input, context }) => {
    const found = await findRelease(context.db, input.releaseId)
    return answer(found ? ok(await viewRelease(context.db, found)) : notFound('release'))
  }),
  preview: release.preview.handler(async ({ input, context }) => answer(await previewPlan(context, input))),
  create: release.create.handler(async ({ input, context }) => ({
    releaseId: answer(await createRelease(context, input)),
  })),
  update: release.update.handler(async ({ input, context }) => {
    const { releaseId, ...plan } = input
    return { releaseId: answer(await changeRelease(context, releaseId, plan)) }
  }),
  cancel: release.cancel.handler(async ({ input, context }) => ({
    releaseId: answer(await cancelRelease(context, input.releaseId, input.reason)),
  })),
})
