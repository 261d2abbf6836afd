import { useQuery } from '@tanstack/react-query'
import { useRegisteredKeys } from './key/use-registered-keys.ts'
import type { CaseRow } from './case/case-view.ts'
import { client, orpc } from '#/api/client.ts'
import { useCan } from '#/api/session.ts'

/** Cases that a key of this person can still decide, newest first. */
export function useWaitingCases(): { cases: readonly CaseRow[]; isKnown: boolean } {
  const canVote = useCan('board.vote')
  const { keys, isPending } = useRegisteredKeys()
  const ids = keys.map(({ keyId }) => keyId).toSorted()
  const isAsked = canVote && ids.length > 0
  const waiting = useQuery({
    // Under the key of the cases, so that every change of one makes it old.
    queryKey: [...orpc.decide.case.key(), 'waiting', ids],
    queryFn: ({ signal }) => loadWaitingCases(ids, signal),
    enabled: isAsked,
  })
  return { cases: waiting.data ?? [], isKnown: isAsked ? waiting.data !== undefined : !isPending || !canVote }
}

/** Each case once, whichever of these keys it waits for. */
async function loadWaitingCases(keyIds: readonly string[], signal: AbortSignal): Promise<CaseRow[]> {
  const lists = await Promise.all(keyIds.map((keyId) => client.decide.case.list({ keyId }, { signal })))
  const rows = new Map(lists.flatMap(({ items }) => items).map((row) => [row.id, row]))
  return [...rows.values()].toSorted((a, b) => b.askedAt.localeCompare(a.askedAt))
}
