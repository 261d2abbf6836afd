import { keepPreviousData, useQuery } from '@tanstack/react-query'
import styles from './ActivityCard.module.css'
import { orpc } from '#/api/client.ts'
import { useCan } from '#/api/session.ts'
import { EmptyState } from '#/ui/EmptyState.tsx'
import { Loading } from '#/ui/Loading.tsx'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'
import { SectionCard } from '#/ui/SectionCard.tsx'
import { factSentence } from '#/ui/fact-sentence.ts'
import { formatClock, formatExact } from '#/ui/format.ts'

const linesMax = 14

/** What was done to this release, from the ledger, newest first. */
export function ActivityCard({ releaseId }: { releaseId: string }) {
  const canRead = useCan('ledger.read')
  const facts = useQuery({
    ...orpc.platform.ledger.list.queryOptions({ input: { releaseId, limit: linesMax } }),
    enabled: canRead,
    placeholderData: keepPreviousData,
  })
  return (
    <SectionCard title="Activity">
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
        {facts.data?.items.map((fact) => (
          <li key={fact.id}>
            <time className="num dim" dateTime={fact.at} title={formatExact(fact.at)}>
              {formatClock(fact.at)}
            </time>
            <span>{factSentence(fact)}</span>
          </li>
        ))}
      </ul>
    </SectionCard>
  )
}
