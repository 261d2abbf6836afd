import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { NeedsYou } from './NeedsYou.tsx'
import { QuietLine } from './QuietLine.tsx'
import styles from './TodayPage.module.css'
import { orpc } from '#/api/client.ts'
import { useCan } from '#/api/session.ts'
import { ReleaseTable } from '#/plan/release/ReleaseTable.tsx'
import { Loading } from '#/ui/Loading.tsx'
import { Page } from '#/ui/Page.tsx'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'
import { useMinute } from '#/ui/use-minute.ts'
import { AppLink } from '#/ui/AppLink.tsx'

const recentMax = 20
const today = new Intl.DateTimeFormat('en-GB', { weekday: 'long', day: 'numeric', month: 'long' })

/** What is moving, and does anything go wrong? */
export function TodayPage() {
  const canPlan = useCan('release.write')
  const releases = useQuery({
    ...orpc.plan.release.list.queryOptions({ input: { limit: recentMax } }),
    placeholderData: keepPreviousData,
  })
  const rows = releases.data?.items ?? []
  const moving = rows.filter(
    (row) => row.rollout !== null && ['running', 'paused', 'backing-out'].includes(row.rollout.state),
  )
  const coming = rows.filter((row) => row.rollout === null && row.state !== 'cancelled')
  return (
    <Page title="Today" note={today.format(useMinute())}>
      {releases.error === null ? null : (
        <ProblemAlert
          title="Today could not be loaded"
          error={releases.error}
          onRetry={() => void releases.refetch()}
        />
      )}
      {releases.isPending ? <Loading what="today" lines={8} /> : null}
      {releases.data === undefined ? null : (
        <div className={styles.stack}>
          <section aria-labelledby="needs">
            <h2 id="needs">Needs you</h2>
            <NeedsYou releases={rows} />
          </section>
          <section aria-labelledby="moving">
            <h2 id="moving">Rolling out</h2>
            {moving.length === 0 ? (
              <QuietLine action={<AppLink to="/releases">Open Releases</AppLink>}>
                Nothing is rolling out. Running rollouts stand here with their progress and failures.
              </QuietLine>
            ) : (
              <ReleaseTable label="Rolling out" rows={moving} />
            )}
          </section>
          <section aria-labelledby="coming">
            <h2 id="coming">Planned</h2>
            {coming.length === 0 ? (
              <QuietLine action={canPlan ? <AppLink to="/releases/new">New release</AppLink> : undefined}>
                No release waits for its start.
              </QuietLine>
            ) : (
              <ReleaseTable label="Planned" rows={coming} />
            )}
          </section>
        </div>
      )}
    </Page>
  )
}
