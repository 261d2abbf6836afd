import { os } from '#/platform/http/os.ts'
import { answer } from '#/platform/lib/answer.ts'
import { askBoard } from './ask-board.ts'
import { listCases, viewCase } from './case-view.ts'
import { sayToCase, withdrawCase } from './case.service.ts'
import { proposeCase } from './propose-case.ts'

const { case: decisionCase } = os.decide

export const caseRoutes = decisionCase.router({
  list: decisionCase.list.handler(async ({ input, context }) => ({
    items: await listCases(context.db, await context.services.repository.current(), input),
  })),
  get: decisionCase.get.handler(async ({ input, context }) =>
    answer(await viewCase(context, await context.services.repository.current(), input.caseId)),
  ),
  ask: decisionCase.ask.handler(async ({ input, context }) => ({
    caseId: answer(await askBoard(context, context.services, input)),
  })),
  propose: decisionCase.propose.handler(async ({ input, context }) => ({
    caseId: answer(await proposeCase(context, context.services.repository, input)),
  })),
  say: decisionCase.say.handler(async ({ input, context }) => {
    const { repository } = context.services
    const id = answer(await sayToCase(context, repository, input))
    return answer(await viewCase(context, await repository.current(), id))
  }),
  withdraw: decisionCase.withdraw.handler(async ({ input, context }) => {
    const { repository } = context.services
    const id = answer(await withdrawCase(context, repository, input))
    return answer(await viewCase(context, await repository.current(), id))
  }),
})
