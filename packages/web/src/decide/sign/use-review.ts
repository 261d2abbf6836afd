import { useQuery } from '@tanstack/react-query'
import type { Draft } from './draft.ts'

/**
 * The draft against the published files, checked in this browser for this key. It is asked for when a dialog opens, so
 * the library that reads signed files is loaded only then.
 */
export function useReview(draft: Draft, keyId: string) {
  return useQuery({
    queryKey: ['review', draft.id, keyId, draft.documents.map(({ role, signed }) => [role, signed])],
    queryFn: async () => {
      const { reviewDraftHere } = await import('./review-draft.ts')
      return await reviewDraftHere(draft, keyId)
    },
    staleTime: 0,
    gcTime: 0,
    retry: false,
  })
}

export type ReviewQuery = ReturnType<typeof useReview>
