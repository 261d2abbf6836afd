import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { ActivityCard } from './ActivityCard.tsx'
import { AuthorityCard } from './AuthorityCard.tsx'
import { CockpitHeader } from './CockpitHeader.tsx'
import styles from './CockpitPage.module.css'
import { DevicesCard } from './DevicesCard.tsx'
import { PackagesCard } from './PackagesCard.tsx'
import { PhasesCard } from './PhasesCard.tsx'
import { PlannedPhasesCard } from './PlannedPhasesCard.tsx'
import { RolloutActs } from './RolloutActs.tsx'
import { hasRollout, stagesOf, type Release, type Rollout } from './cockpit-view.ts'
import { orpc } from '#/api/client.ts'
import { AppLink } from '#/ui/AppLink.tsx'
import { LifecycleStepper } from '#/ui/LifecycleStepper.tsx'
import { Loading } from '#/ui/Loading.tsx'
import { Page, useTitle } from '#/ui/Page.tsx'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'
import { useMinute } from '#/ui/use-minute.ts'

/** Is this release safe to go on? */
export function CockpitPage() {
  const { releaseId } = useParams({ from: '/shell/releases/$releaseId' })
  const release = useQuery(orpc.plan.release.get.queryOptions({ input: { releaseId } }))
  // Before the start there is no rollout to ask for.
  const isStarted = release.data !== undefined && hasRollout(release.data)
  const rollout = useQuery({
    ...orpc.deliver.rollout.get.queryOptions({ input: { releaseId } }),
    enabled: isStarted,
  })
  // Who saw the plan goes on seeing it until the rollout is there; a start must not blank the page.
  const [sawPlan, setSawPlan] = useState(false)
  if (release.data !== undefined && !isStarted && !sawPlan) setSawPlan(true)
  if (release.data === undefined || (isStarted && rollout.isPending && !sawPlan)) {
    return (
      <Page title="Release" trail={<AppLink to="/releases">Releases</AppLink>}>
        {release.error === null ? (
          <Loading what="the release" lines={10} />
        ) : (
          <ProblemAlert
            title="This release could not be loaded"
            error={release.error}
            onRetry={() => void release.refetch()}
          />
        )}
      </Page>
    )
  }
  return (
    <>
      {rollout.error === null ? null : (
        <div className={styles.page}>
          <ProblemAlert
            title="The rollout could not be loaded"
            error={rollout.error}
            onRetry={() => void rollout.refetch()}
          />
        </div>
      )}
      <Cockpit release={release.data} rollout={rollout.data} />
    </>
  )
}

function Cockpit({ release, rollout }: { release: Release; rollout: Rollout | undefined }) {
  useTitle(`${release.title} ${release.version}`)
  const nowMs = useMinute()
  return (
    <div className={styles.page}>
      <CockpitHeader release={release} rollout={rollout} acts={<RolloutActs release={release} rollout={rollout} />} />
      <LifecycleStepper stages={stagesOf(release, rollout, nowMs)} />
      <div className={styles.grid}>
        <div className={styles.left}>
          {rollout === undefined ? (
            <PlannedPhasesCard release={release} />
          ) : (
            <>
              <PhasesCard releaseId={release.id} rollout={rollout} />
              <DevicesCard rollout={rollout} />
            </>
          )}
          <PackagesCard release={release} />
        </div>
        <aside className={styles.right} aria-label="Authority and activity">
          <AuthorityCard release={release} rollout={rollout} />
          <ActivityCard releaseId={release.id} />
        </aside>
      </div>
    </div>
  )
}
