import { os } from '#/platform/http/os.ts'
import { answer } from '#/platform/lib/answer.ts'
import { getDraft, listDrafts, proposeDraft, signDraft, withdrawDraft } from './draft.service.ts'

const { draft } = os.decide

export const draftRoutes = draft.router({
  list: draft.list.handler(async ({ input, context }) => ({
    items: await listDrafts(context.db, await context.services.repository.current(), input),
  })),
  get: draft.get.handler(async ({ input, context }) =>
    answer(await getDraft(context.db, await context.services.repository.current(), input.draftId)),
  ),
  propose: draft.propose.handler(async ({ input, context }) =>
    answer(await proposeDraft(context, context.services.repository, input)),
  ),
  sign: draft.sign.handler(async ({ input, context }) =>
    answer(await signDraft(context, context.services.repository, input)),
  ),
  withdraw: draft.withdraw.handler(async ({ input, context }) =>
    answer(await withdrawDraft(context, context.services.repository, input)),
  ),
})
