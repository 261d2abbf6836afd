import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { PlanFormPage } from './PlanFormPage.tsx'
import { draftFrom, planOf } from './release-plan.ts'
import { client, orpc } from '#/api/client.ts'
import { AppLink } from '#/ui/AppLink.tsx'
import { EmptyState } from '#/ui/EmptyState.tsx'
import { Loading } from '#/ui/Loading.tsx'
import { Page } from '#/ui/Page.tsx'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'
import { newKey } from '#/ui/form/new-key.ts'

/** Changes the plan of a release that has not started. */
export function EditReleasePage() {
  const { releaseId } = useParams({ from: '/shell/releases/$releaseId/edit' })
  // What the person edits must not change under the hand, so it is loaded once.
  const release = useQuery({
    ...orpc.plan.release.get.queryOptions({ input: { releaseId } }),
    staleTime: Infinity,
    refetchOnMount: 'always',
  })
  if (release.data === undefined || !release.isFetchedAfterMount) {
    return (
      <Page title="Change plan">
        {release.error === null ? (
          <Loading what="the plan" lines={10} />
        ) : (
          <ProblemAlert
            title="This plan could not be loaded"
            error={release.error}
            onRetry={() => void release.refetch()}
          />
        )}
      </Page>
    )
  }
  if (release.data.manifestSha256 !== null) {
    return (
      <Page title="Change plan">
        <EmptyState
          action={
            <AppLink to="/releases/$releaseId" params={{ releaseId }}>
              Open the cockpit
            </AppLink>
          }
        >
          The plan was fixed when the rollout started. Brakes of a phase are changed in the cockpit.
        </EmptyState>
      </Page>
    )
  }
  return (
    <PlanFormPage
      initial={draftFrom(release.data, newKey)}
      title={`Change ${release.data.title} ${release.data.version}`}
      verb="Save plan"
      failed="The plan was not changed"
      releaseId={releaseId}
      save={(draft) => client.plan.release.update({ ...planOf(draft), releaseId })}
    />
  )
}
