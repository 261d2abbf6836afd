import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'

export interface KeysetPage<Row> {
  items: Row[]
  next?: string | undefined
}

export interface KeysetList<Row> {
  /** Undefined until the first page is there. */
  rows: Row[] | undefined
  error: Error | null
  retry: () => void
  hasMore: boolean
  isLoadingMore: boolean
  onMore: () => void
}

/** A list that grows page by page: `load` gets what the page before gave as `next`. */
export function useKeysetList<Row>(
  queryKey: readonly unknown[],
  load: (after: { after?: string }, signal: AbortSignal) => Promise<KeysetPage<Row>>,
  isEnabled = true,
): KeysetList<Row> {
  const list = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam, signal }) => load(pageParam === '' ? {} : { after: pageParam }, signal),
    initialPageParam: '',
    getNextPageParam: (last) => last.next,
    placeholderData: keepPreviousData,
    enabled: isEnabled,
  })
  return {
    rows: list.data?.pages.flatMap((page) => page.items),
    error: list.error,
    retry: () => void list.refetch(),
    hasMore: list.hasNextPage,
    isLoadingMore: list.isFetchingNextPage,
    onMore: () => void list.fetchNextPage(),
  }
}
