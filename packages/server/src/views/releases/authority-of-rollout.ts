import { sql } from 'kysely'
import type { RolloutRow } from '#/deliver/rollout/rollout.store.ts'
import type { Db } from '#/platform/db/database.ts'

/**
 * Who let the release of a rollout out, in words: the people whose signatures stand under the role file that listed it
 * first. Nobody, for a rollout that began before boards signed: its devices refuse what they have not installed yet.
 */
export async function authorityOf(db: Db, { release_id: releaseId, path }: Pick<RolloutRow, 'release_id' | 'path'>) {
  const { rows } = await sql<{ role: string; version: number; names: string[] }>`
    select c.role, (document -> 'signed' ->> 'version')::int as version,
      array_agg(s.by_name order by s.at, s.key_id) as names
    from decision_case c
    join draft d on d.case_id = c.id and d.state = 'published'
    cross join lateral jsonb_array_elements(d.documents) as document
    join draft_signature s on s.draft_id = d.id and s.role = c.role
    where c.release_id = ${releaseId} and c.path = ${path} and c.kind in ('go', 'emergency') and document ->> 'role' = c.role
    group by c.id, 1, 2 order by c.decided_at desc nulls last limit 1`.execute(db)
  const [go] = rows
  if (!go) return 'No board has signed this release; devices install it nowhere.'
  return `${listed(go.names)} signed it for ${go.role} (version ${go.version}); every device checks their signatures itself.`
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}
