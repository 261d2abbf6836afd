import type { InclusionProof } from '@bascule/contract/device/protocol.ts'
import { growAudienceTree, type AudienceTree } from '@bascule/trust/merkle.ts'
import type { Db } from '#/platform/db/database.ts'
import { membersOf } from './rollout.store.ts'

/** Proofs that a device belongs to the frozen audience of a phase, from trees that are built once and kept while used. */
export interface AudienceTrees {
  /** Undefined for a dynamic audience: there the server decides who. */
  proofFor(rolloutId: number, phase: number, deviceKeyId: string): Promise<InclusionProof | undefined>
}

const treesKept = 8

export function createAudienceTrees(db: Db): AudienceTrees {
  const trees = new Map<string, Promise<AudienceTree | undefined>>()

  function treeOf(rolloutId: number, phase: number): Promise<AudienceTree | undefined> {
    const key = `${rolloutId} ${phase}`
    const tree = trees.get(key) ?? buildTree(db, rolloutId, phase)
    trees.delete(key)
    trees.set(key, tree)
    tree.catch(() => trees.delete(key))
    const [oldest] = trees.keys()
    if (trees.size > treesKept && oldest !== undefined) trees.delete(oldest)
    return tree
  }

  return {
    async proofFor(rolloutId, phase, deviceKeyId) {
      return (await treeOf(rolloutId, phase))?.proofOf(deviceKeyId)
    },
  }
}

async function buildTree(db: Db, rolloutId: number, phase: number): Promise<AudienceTree | undefined> {
  const row = await db
    .selectFrom('phase')
    .select('audience_root')
    .where('rollout_id', '=', rolloutId)
    .where('ord', '=', phase)
    .executeTakeFirst()
  if (!row?.audience_root) return undefined
  const tree = await growAudienceTree(await keyIdsOfPhase(db, await membersOf(db, rolloutId), phase))
  if (tree.root !== row.audience_root) {
    throw new Error(`The members of phase ${phase} of rollout ${rolloutId} are not those that were frozen`)
  }
  return tree
}

export async function keyIdsOfPhase(db: Db, members: Uint8Array, phase: number): Promise<string[]> {
  const ids: number[] = []
  for (let id = members.indexOf(phase); id !== -1; id = members.indexOf(phase, id + 1)) ids.push(id)
  if (ids.length === 0) return []
  const rows = await db
    .selectFrom('device')
    .select('key_id')
    .where((eb) => eb('id', '=', eb.fn.any(eb.val(ids))))
    .execute()
  return rows.map((row) => row.key_id)
}
