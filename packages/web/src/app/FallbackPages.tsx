import { useRouter, type ErrorComponentProps } from '@tanstack/react-router'
import { Page } from '#/ui/Page.tsx'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'
import { AppLink } from '#/ui/AppLink.tsx'

export function NoSuchPage() {
  return (
    <main>
      <Page title="No such page">
        <p>
          Nothing lives at this address. <AppLink to="/">Go to Today</AppLink>
        </p>
      </Page>
    </main>
  )
}

export function CrashPage({ error, reset }: ErrorComponentProps) {
  const router = useRouter()
  return (
    <main>
      <Page title="This page could not be shown">
        <ProblemAlert
          title="This page could not be shown"
          error={error}
          onRetry={() => {
            reset()
            void router.invalidate()
          }}
        />
      </Page>
    </main>
  )
}
