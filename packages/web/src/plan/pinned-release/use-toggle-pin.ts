import { notifications } from '@mantine/notifications'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { usePinned } from './use-pinned.ts'
import { client, orpc } from '#/api/client.ts'
import { problemFrom, problemWords } from '#/ui/problem.ts'

/** Pins a release or takes the pin away; the same press takes it back. */
export function useTogglePin(releaseId: string) {
  const queries = useQueryClient()
  const isPinned = usePinned().some((release) => release.id === releaseId)
  const toggle = useMutation({
    mutationFn: () => client.plan.pinnedRelease[isPinned ? 'unpin' : 'pin']({ releaseId }),
    onSettled: () => queries.invalidateQueries({ queryKey: orpc.plan.pinnedRelease.key() }),
    onError: (error) =>
      notifications.show({
        title: isPinned ? 'Not unpinned' : 'Not pinned',
        message: problemWords(problemFrom(error)),
      }),
  })
  return { isPinned: toggle.isPending ? !isPinned : isPinned, toggle: () => toggle.mutate() }
}
