import { keepPreviousData, useQueries, useQuery } from '@tanstack/react-query'

/** How a long list is cut: the cursor before the first row of every block, as sampled by the server. */
export interface Anchors {
  total: number
  blockSize: number
  /** `cursors[k]` is what to pass as `after` for block k + 1; block 0 needs none. */
  cursors: readonly string[]
}

export interface BlockSource<Row> {
  /** Changes with filter and order; names the list in the cache. */
  queryKey: readonly unknown[]
  loadAnchors: (signal: AbortSignal) => Promise<Anchors>
  loadBlock: (after: string | undefined, limit: number, signal: AbortSignal) => Promise<readonly Row[]>
}

export interface Blocks<Row> {
  total: number
  isFirstLoad: boolean
  isFetching: boolean
  error: Error | null
  retry: () => void
  rowAt: (index: number) => Row | undefined
}

const freshMs = 15_000

/** The rows of a list that lives on the server, of which only the visible blocks are fetched: a jump to row 50,000 costs one page. */
export function useBlocks<Row>(source: BlockSource<Row>, firstIndex: number, lastIndex: number): Blocks<Row> {
  const anchors = useQuery({
    queryKey: [...source.queryKey, 'anchors'],
    queryFn: ({ signal }) => source.loadAnchors(signal),
    placeholderData: keepPreviousData,
    staleTime: freshMs,
  })
  const blockSize = anchors.data?.blockSize ?? 1
  const numbers =
    anchors.data === undefined ? [] : range(Math.floor(firstIndex / blockSize), Math.floor(lastIndex / blockSize))
  const pages = useQueries({
    queries: numbers.map((number) => {
      const after = number === 0 ? undefined : anchors.data?.cursors[number - 1]
      return {
        queryKey: [...source.queryKey, 'block', number, after ?? ''],
        queryFn: ({ signal }: { signal: AbortSignal }) => source.loadBlock(after, blockSize, signal),
        enabled: number === 0 || after !== undefined,
        staleTime: freshMs,
      }
    }),
  })
  return {
    total: anchors.data?.total ?? 0,
    isFirstLoad: anchors.isPending,
    isFetching: anchors.isFetching || pages.some((page) => page.isFetching),
    error: anchors.error ?? pages.find((page) => page.error !== null)?.error ?? null,
    retry: () => {
      void anchors.refetch()
      for (const page of pages) if (page.isError) void page.refetch()
    },
    rowAt: (index) => pages[numbers.indexOf(Math.floor(index / blockSize))]?.data?.[index % blockSize],
  }
}

function range(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index)
}
