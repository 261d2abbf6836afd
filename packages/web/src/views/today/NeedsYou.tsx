import { keepPreviousData, useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import styles from './NeedsYou.module.css'
import { orpc } from '#/api/client.ts'
import { useCan } from '#/api/session.ts'
import type { ReleaseRow } from '#/plan/release/ReleaseTable.tsx'
import { AppLink } from '#/ui/AppLink.tsx'
import { EmptyState } from '#/ui/EmptyState.tsx'
import { countOf } from '#/ui/format.ts'

interface Need {
  key: string
  what: ReactNode
  link: ReactNode
}

/** What waits for this person, by what they may do: first what has stopped, then what could begin. */
export function NeedsYou({ releases }: { releases: readonly ReleaseRow[] }) {
  const needs = [...useReleaseNeeds(releases), ...useDeviceNeeds()]
  if (needs.length === 0) return <EmptyState>Nothing waits for you.</EmptyState>
  return (
    <ul className={styles.list}>
      {needs.map((need) => (
        <li key={need.key}>
          <span>{need.what}</span>
          {need.link}
        </li>
      ))}
    </ul>
  )
}

const startable: ReadonlySet<string> = new Set(['draft', 'planned', 'authorised'])

function useReleaseNeeds(releases: readonly ReleaseRow[]): Need[] {
  const canStart = useCan('rollout.start')
  const canRetry = useCan('job.retry')
  return releases.flatMap((row): Need[] => {
    const name = `${row.title} ${row.version}`
    const open = (
      <AppLink to="/releases/$releaseId" params={{ releaseId: row.id }}>
        Open the cockpit
      </AppLink>
    )
    if (row.rollout === null) {
      return canStart && startable.has(row.state)
        ? [{ key: row.id, what: `${name} is planned and can start`, link: open }]
        : []
    }
    const { state, failures } = row.rollout
    if (state === 'paused' && canStart) return [{ key: row.id, what: `${name} is paused`, link: open }]
    return failures > 0 && canRetry && state === 'running'
      ? [{ key: row.id, what: `${countOf(failures, 'device')} of ${name} failed`, link: open }]
      : []
  })
}

function useDeviceNeeds(): Need[] {
  const canApprove = useCan('device.approve')
  const canRead = useCan('device.read')
  const pending = useQuery({
    ...orpc.estate.device.count.queryOptions({ input: { query: 'state:pending' } }),
    enabled: canApprove,
    placeholderData: keepPreviousData,
  })
  const all = useQuery({
    ...orpc.estate.device.count.queryOptions({ input: { query: '' } }),
    enabled: canRead,
    placeholderData: keepPreviousData,
  })
  const needs: (Need | false)[] = [
    (pending.data?.total ?? 0) > 0 && {
      key: 'pending',
      what: `${countOf(pending.data?.total ?? 0, 'device')} ${pending.data?.total === 1 ? 'waits' : 'wait'} for approval`,
      link: (
        <AppLink to="/fleet" search={{ q: 'state:pending' }}>
          Look and approve
        </AppLink>
      ),
    },
    (all.data?.silent ?? 0) > 0 && {
      key: 'silent',
      what: `${countOf(all.data?.silent ?? 0, 'device')} of ${countOf(all.data?.active ?? 0, 'active device')} went quiet`,
      link: (
        <AppLink to="/fleet" search={{ q: 'state:silent' }}>
          Show them
        </AppLink>
      ),
    },
  ]
  return needs.filter((need) => need !== false)
}
