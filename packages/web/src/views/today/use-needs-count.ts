import { useQuery } from '@tanstack/react-query'
import { needsFrom, type May } from './needs.ts'
import { useMay } from './use-may.ts'
import { client } from '#/api/client.ts'
import { useCan } from '#/api/session.ts'
import { useWaitingCases } from '#/decide/use-waiting-cases.ts'

const everyMs = 60_000
const recentMax = 20
const nobody = { total: 0, active: 0, silent: 0 }

/**
 * How many things wait for this person, for the mark in the navigation. Every page shows it, so it asks once a minute and
 * not with every change: counting a large fleet for every open window would cost more than the mark is worth.
 */
export function useNeedsCount(): number {
  const may = useMay()
  const canRead = useCan('release.read')
  const waiting = useWaitingCases()
  const count = useQuery({
    queryKey: ['needs-count', may],
    queryFn: async ({ signal }) => await countNeeds(may, signal),
    enabled: canRead,
    staleTime: everyMs,
    refetchInterval: everyMs,
  })
  return (count.data ?? 0) + waiting.cases.length
}

async function countNeeds(may: May, signal: AbortSignal): Promise<number> {
  const devices = client.estate.device
  const [releases, pending, all] = await Promise.all([
    client.plan.release.list({ limit: recentMax }, { signal }),
    may.approve && may.seeDevices ? devices.count({ query: 'state:pending' }, { signal }) : nobody,
    may.seeDevices ? devices.count({ query: '' }, { signal }) : nobody,
  ])
  return needsFrom(
    { cases: [], releases: releases.items, pending: pending.total, silent: all.silent, active: all.active },
    may,
  ).length
}
