import { listPinned, pinRelease, unpinRelease } from '#/plan/pinned-release/pinned-release.service.ts'
import { os } from '#/platform/http/os.ts'
import { answer } from '#/platform/lib/answer.ts'
import { releaseRowsOf } from './release-view.ts'

const { pinnedRelease } = os.plan

/** Pins are the plan's, how a pinned release stands is a view over the wings. */
export const pinnedReleaseRoutes = pinnedRelease.router({
  list: pinnedRelease.list.handler(async ({ context }) => await releaseRowsOf(context.db, await listPinned(context))),
  pin: pinnedRelease.pin.handler(async ({ input, context }) => answer(await pinRelease(context, input.releaseId))),
  unpin: pinnedRelease.unpin.handler(async ({ input, context }) =>
    answer(await unpinRelease(context, input.releaseId)),
  ),
})
