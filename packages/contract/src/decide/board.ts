import * as z from 'zod'
import { procedure } from '../lib/procedure.ts'
import { AuthorityRole, boardCode, KeyLevel } from './signing.ts'
import { CaseRow } from './case.ts'

export const BoardView = z.object({
  code: z.string(),
  /** The weakest way in which a key that counts is kept: what the promise of this board is worth. Null: not said. */
  level: KeyLevel.nullable(),
  /** Whether one person alone decides. */
  isOnePerson: z.boolean(),
  roles: z.array(AuthorityRole),
  productLines: z.array(z.string()),
  openCases: z.array(CaseRow),
  /** What was decided, newest first. */
  register: z.array(CaseRow),
})
export type BoardView = z.infer<typeof BoardView>

export const board = {
  list: procedure
    .meta({ permission: 'board.read' })
    .route({ method: 'GET', path: '/decide/boards', summary: 'Boards with their members, keys and open cases' })
    .output(z.object({ items: z.array(BoardView) })),
  get: procedure
    .meta({ permission: 'board.read' })
    .route({ method: 'GET', path: '/decide/boards/{board}', summary: 'One board' })
    .input(z.object({ board: boardCode }))
    .output(BoardView),
}
