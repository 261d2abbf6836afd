import { targetPathFrom } from '@bascule/trust/tuf/names.ts'
import type { AgentState } from '#/journal/state.ts'

export interface BoardLine {
  readonly board: string
  readonly line: string
}

/** The product lines that this device is told about, with the board of each. */
export function linesOf({ assignment, jobs }: Pick<AgentState, 'assignment' | 'jobs'>): BoardLine[] {
  const paths = [
    ...Object.keys(assignment?.signed.targets ?? {}),
    ...Object.values(jobs).flatMap((job) => job.path ?? []),
  ]
  const lines = paths.flatMap((path) => {
    const at = targetPathFrom(path)
    return at ? [[lineText(at), { board: at.board, line: at.line }] as const] : []
  })
  return [...new Map(lines).values()]
}

export function lineText({ board, line }: BoardLine): string {
  return `${board}/${line}`
}
