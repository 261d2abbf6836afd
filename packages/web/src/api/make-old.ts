import type { QueryClient, QueryKey } from '@tanstack/react-query'

/**
 * Marks answers as old after a change; those that a page shows are asked for again. A first load that is under way may
 * have been read before the change and would count as fresh when it comes, so it is asked for once more after that.
 */
export function makeOld(queries: QueryClient, queryKey: QueryKey): void {
  for (const query of queries.getQueryCache().findAll({ queryKey, fetchStatus: 'fetching' })) {
    const again = () => queries.invalidateQueries({ queryKey: query.queryKey, exact: true })
    if (query.state.data === undefined) void query.promise?.then(again, again)
  }
  void queries.invalidateQueries({ queryKey })
}
