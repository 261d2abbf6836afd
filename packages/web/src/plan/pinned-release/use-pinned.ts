import { useQuery } from '@tanstack/react-query'
import { orpc, type Client } from '#/api/client.ts'
import { useCan } from '#/api/session.ts'

export type PinnedRelease = Awaited<ReturnType<Client['plan']['pinnedRelease']['list']>>[number]

/** The releases that the person keeps at hand. */
export function usePinned(): readonly PinnedRelease[] {
  const canRead = useCan('release.read')
  return useQuery({ ...orpc.plan.pinnedRelease.list.queryOptions(), enabled: canRead }).data ?? []
}
