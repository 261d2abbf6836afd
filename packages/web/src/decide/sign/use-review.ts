import { useQuery } from '@tanstack/react-query'
import type { Draft } from './draft.ts'

/**
 * The draft against the published files, checked in this browser. It is asked for when a dialog opens, so the library
 * that reads signed files is loaded only then.
 */
export function useReview(draft: Draft) {
  return useQuery({
    queryKey: ['review', draft.id, draft.documents.map(({ role, signed }) => [role, signed])],
    queryFn: async () => {
      const { reviewDraftHere } = await import('./review-draft.ts')
      return await reviewDraftHere(draft)
    },
    staleTime: 0,
    gcTime: 0,
    retry: false,
  })
}

export type ReviewQuery = ReturnType<typeof useReview>
