import { keepPreviousData, useQuery } from '@tanstack/react-query'
import styles from './ActivityCard.module.css'
import { activityFrom } from './activity.ts'
import { orpc } from '#/api/client.ts'
import { useCan } from '#/api/session.ts'
import { AppLink } from '#/ui/AppLink.tsx'
import { EmptyState } from '#/ui/EmptyState.tsx'
import { Loading } from '#/ui/Loading.tsx'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'
import { SectionCard } from '#/ui/SectionCard.tsx'
import { formatClockOrDay, formatExact } from '#/ui/format.ts'
import { useMinute } from '#/ui/use-minute.ts'

const linesMax = 12
/** More facts than lines, because devices that did the same share a line. */
const factsMax = 120

/** What was done to this release, from the ledger, newest first. */
export function ActivityCard({ releaseId }: { releaseId: string }) {
  const canRead = useCan('ledger.read')
  const nowMs = useMinute()
  const facts = useQuery({
    ...orpc.platform.ledger.list.queryOptions({ input: { releaseId, limit: factsMax } }),
    enabled: canRead,
    placeholderData: keepPreviousData,
  })
  return (
    <SectionCard
      title="Activity"
      actions={
        canRead ? (
          <AppLink to="/settings/$section" params={{ section: 'ledger' }} search={{ release: releaseId }} fz={12.5}>
            Ledger
          </AppLink>
        ) : undefined
      }
    >
      {canRead ? null : <EmptyState>Who did what is shown to people who may read the ledger.</EmptyState>}
      {facts.error === null ? null : (
        <ProblemAlert
          title="The activity could not be loaded"
          error={facts.error}
          onRetry={() => void facts.refetch()}
        />
      )}
      {canRead && facts.isPending ? <Loading what="the activity" /> : null}
      {facts.data?.items.length === 0 ? <EmptyState>Nothing has been done yet.</EmptyState> : null}
      <ul className={styles.list} aria-live="polite">
        {activityFrom(facts.data?.items ?? [], linesMax).map((line) => (
          <li key={line.id} data-trouble={line.isTrouble || undefined}>
            <time className="num dim" dateTime={line.at} title={formatExact(line.at)}>
              {formatClockOrDay(line.at, nowMs)}
            </time>
            <span>{line.words}</span>
          </li>
        ))}
      </ul>
    </SectionCard>
  )
}
