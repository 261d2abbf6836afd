import type { BoardView } from '@bascule/contract/decide/board.ts'
import type { AuthorityRole } from '@bascule/contract/decide/signing.ts'
import { ok } from '@bascule/domain/lib/result.ts'
import type { RepositoryDraft } from '@bascule/trust/tuf/repository-state.ts'
import type { Db } from '#/platform/db/database.ts'
import type { Call } from '#/platform/http/os.ts'
import { type Answer, notFound } from '#/platform/lib/answer.ts'
import { authorityRoles } from '../authority/authority-roles.ts'
import { caseRow } from '../case/case-view.ts'
import { findCases } from '../case/case.store.ts'
import { seeCases } from '../case/votes.ts'
import { findKeyOwners } from '../draft/role-names.ts'

type Looking = Pick<Call, 'db' | 'now'>

/** Boards as the custodians have delegated to them, with what they are asked and what they decided. */
export async function listBoards(call: Looking, state: RepositoryDraft): Promise<BoardView[]> {
  const roles = authorityRoles(state, await findKeyOwners(call.db), call.now)
  const boards = roles.filter(({ kind }) => kind === 'board').map(({ role }) => role)
  return await Promise.all(boards.map(async (code) => await boardView(call.db, state, code, roles)))
}

export async function viewBoard(call: Looking, state: RepositoryDraft, code: string): Promise<Answer<BoardView>> {
  const boards = await listBoards(call, state)
  const board = boards.find((one) => one.code === code)
  return board ? ok(board) : notFound('board')
}

const registerLength = 50

async function boardView(
  db: Db,
  state: RepositoryDraft,
  code: string,
  all: readonly AuthorityRole[],
): Promise<BoardView> {
  const roles = all.filter(({ board }) => board === code)
  const open = await findCases(db, { board: code, states: ['preparing', 'open', 'deferred'] })
  const decided = await findCases(db, {
    board: code,
    states: ['go', 'no-go', 'revoked', 'expired', 'fulfilled', 'superseded'],
    limit: registerLength,
  })
  return {
    code,
    level: weakestLevel(roles),
    isOnePerson: roles.some(letsOneDecide),
    roles,
    productLines: roles.flatMap(({ productLine }) => productLine ?? []),
    openCases: (await seeCases(db, state, open)).map(caseRow),
    register: (await seeCases(db, state, decided)).map(caseRow),
  }
}

/** A chain holds as much as its weakest link: the level of a board is that of the worst kept key that counts. */
function weakestLevel(roles: readonly AuthorityRole[]): BoardView['level'] {
  const levels = roles.flatMap(({ members }) => members.map(({ level }) => level))
  return levels.length === 0 || levels.includes(null) ? null : Math.min(...levels.map((level) => level ?? 0))
}

/** Anybody of the board may stop a release alone; letting one out alone is another matter. */
function letsOneDecide({ kind, threshold, members }: AuthorityRole): boolean {
  if (kind !== 'line' && kind !== 'emergency') return false
  const people = members.map(({ personId, keyId }) => personId ?? keyId)
  return threshold === 1 || new Set(people).size === 1
}
