import type { Refusal } from '@bascule/domain/lib/result.ts'
import type { RepositoryDraft } from '@bascule/trust/tuf/repository-state.ts'
import type { Db } from '#/platform/db/database.ts'
import type { StoredDocument } from './draft.tables.ts'
import { repositoryWith } from './quorum.ts'
import { delegationOf } from './role-names.ts'

const keptIn = ['nowhere that is known', 'a browser', 'a passkey', 'the local tool'] as const

/**
 * Whether a key is kept as well as its role asks for. The board signs how; when its owner has registered it as kept
 * worse than that, the worse counts.
 */
export async function problemOfKeyLevel(
  db: Db,
  state: RepositoryDraft,
  documents: readonly StoredDocument[],
  keys: readonly { readonly role: string; readonly keyid: string }[],
): Promise<Refusal | undefined> {
  const registered = await levelsOf(
    db,
    keys.map(({ keyid }) => keyid),
  )
  const next = repositoryWith(state, documents)
  for (const { role, keyid } of keys) {
    const delegation = delegationOf(next, role)
    const least = delegation?.['x-min-level']
    if (least === undefined) continue
    const claims = [delegation?.['x-levels']?.[keyid], registered.get(keyid)].filter((level) => level !== undefined)
    const level = Math.min(...(claims.length > 0 ? claims : [0]))
    if (level < least) return tooLow(role, keyid, level, least)
  }
  return undefined
}

async function levelsOf(db: Db, keyIds: readonly string[]): Promise<Map<string, number>> {
  if (keyIds.length === 0) return new Map()
  const rows = await db.selectFrom('member_key').select(['key_id', 'level']).where('key_id', 'in', keyIds).execute()
  return new Map(rows.map((row) => [row.key_id, row.level]))
}

function tooLow(role: string, keyId: string, level: number, least: number): Refusal {
  return {
    rule: 'key-is-kept-well-enough',
    fact: `${role} asks for keys of level ${least}; the key ${keyId.slice(0, 12)} is kept in ${keptIn[level] ?? ''} (level ${level}).`,
    lifter: 'The governance quorum of the board',
    next: 'Sign with a key that is kept better, or ask the board to take another key of yours.',
  }
}
