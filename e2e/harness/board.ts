import { join } from 'node:path'
import { foundBoard, type Board as BoardOfOne } from '#scripts/lib/board.ts'
import type { Api } from '#scripts/start/api.ts'
import type { Bascule } from './bascule.ts'

/** Who signs in a journey. */
export interface Board extends BoardOfOne {
  /** Signs the one case that waits, and waits until it is published. */
  signWhatWaits(): Promise<void>
}

/** A board of one over these product lines, with the paper recovery key that comes with it. */
export async function givenBoard(bascule: Bascule, api: Api, who: { readonly email: string }): Promise<Board> {
  const board = await foundBoard(join(bascule.dataFolder, '..', 'member'), api, who.email)
  return {
    ...board,
    async signWhatWaits() {
      const { items: open } = await api.get<{ items: { id: string }[] }>('/decide/cases?state=open')
      for (const { id } of open) await board.sign(id)
    },
  }
}
