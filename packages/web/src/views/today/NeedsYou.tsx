import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import styles from './TodayPage.module.css'
import { QuietLine } from './QuietLine.tsx'
import { needsFrom, type Need } from './needs.ts'
import { useMay } from './use-may.ts'
import { orpc } from '#/api/client.ts'
import { useWaitingCases } from '#/decide/use-waiting-cases.ts'
import type { ReleaseRow } from '#/plan/release/ReleaseTable.tsx'
import { AppLink } from '#/ui/AppLink.tsx'

/** What waits for this person, by what they may do: first what has stopped, then what could begin. */
export function NeedsYou({ releases }: { releases: readonly ReleaseRow[] }) {
  const may = useMay()
  const queries = useQueryClient()
  const pending = useCount('state:pending', may.approve)
  const all = useCount('', may.seeDevices)
  const waiting = useWaitingCases()
  const known = {
    cases: waiting.cases,
    releases,
    pending: pending?.total ?? 0,
    silent: all?.silent ?? 0,
    active: all?.active ?? 0,
  }
  const needs = needsFrom(known, may)
  const isKnown = waiting.isKnown && (pending !== undefined || !may.approve) && (all !== undefined || !may.seeDevices)
  useEffect(() => {
    // The mark in the navigation never says another number than the list below it.
    if (isKnown) queries.setQueriesData({ queryKey: ['needs-count'] }, needs.length - waiting.cases.length)
  }, [queries, isKnown, needs.length, waiting.cases.length])
  if (needs.length === 0) return <QuietLine>Nothing waits for you.</QuietLine>
  return (
    <ul className={styles.list}>
      {needs.map((need) => (
        <li key={need.key}>
          <span>{need.what}</span>
          <NeedLink need={need} />
        </li>
      ))}
    </ul>
  )
}

function useCount(query: string, enabled: boolean) {
  return useQuery({
    ...orpc.estate.device.count.queryOptions({ input: { query } }),
    enabled,
    placeholderData: keepPreviousData,
  }).data
}

function NeedLink({ need: { at, verb } }: { need: Need }) {
  if ('query' in at) {
    return (
      <AppLink to="/fleet" search={{ q: at.query }}>
        {verb}
      </AppLink>
    )
  }
  if ('caseId' in at) {
    return (
      <AppLink to="/cases/$caseId" params={{ caseId: at.caseId }}>
        {verb}
      </AppLink>
    )
  }
  return (
    <AppLink to="/releases/$releaseId" params={{ releaseId: at.releaseId }}>
      {verb}
    </AppLink>
  )
}
