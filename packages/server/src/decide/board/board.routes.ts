import { os } from '#/platform/http/os.ts'
import { answer } from '#/platform/lib/answer.ts'
import { listBoards, viewBoard } from './board-view.ts'

const { board } = os.decide

export const boardRoutes = board.router({
  list: board.list.handler(async ({ context }) => ({
    items: await listBoards(context, await context.services.repository.current()),
  })),
  get: board.get.handler(async ({ input, context }) =>
    answer(await viewBoard(context, await context.services.repository.current(), input.board)),
  ),
})
