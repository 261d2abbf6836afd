import { useQuery } from '@tanstack/react-query'
import { useRegisteredKeys } from './key/use-registered-keys.ts'
import type { CaseRow } from './case/case-view.ts'
import { client, orpc } from '#/api/client.ts'
import { useCan } from '#/api/session.ts'

/** Cases that a key of this person can still decide, newest first. */
export function useWaitingCases(): { cases: readonly CaseRow[] } {
  const canVote = useCan('board.vote')
  const ids = useRegisteredKeys()
    .keys.map(({ keyId }) => keyId)
    .toSorted()
  const waiting = useQuery({
    // Under the key of the cases, so that every change of one makes it old.
    queryKey: [...orpc.decide.case.key(), 'waiting', ids],
    queryFn: async ({ signal }) => {
      const lists = await Promise.all(ids.map((keyId) => client.decide.case.list({ keyId }, { signal })))
      const rows = new Map(lists.flatMap(({ items }) => items).map((row) => [row.id, row]))
      return [...rows.values()].toSorted((a, b) => b.askedAt.localeCompare(a.askedAt))
    },
    enabled: canVote && ids.length > 0,
  })
  return { cases: waiting.data ?? [] }
}
