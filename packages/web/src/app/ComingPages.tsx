import { EmptyState } from '#/ui/EmptyState.tsx'
import { Page } from '#/ui/Page.tsx'
import { AppLink } from '#/ui/AppLink.tsx'

// Places whose work is not in this version yet. Each says what will be there and where the same question is answered today.

export function CalendarPage() {
  return (
    <Page title="Calendar">
      <EmptyState action={<AppLink to="/releases">Open Releases</AppLink>}>
        Releases, freezes and maintenance windows will stand here side by side, with their collisions. Until then each
        phase carries its own earliest and latest time in its release.
      </EmptyState>
    </Page>
  )
}

export function SupportPage() {
  return (
    <Page title="Support">
      <EmptyState action={<AppLink to="/fleet">Open Fleet</AppLink>}>
        Known errors, quick fixes and incidents by release will stand here for the service desk. Until then a device’s
        page says what it runs and what it waits for.
      </EmptyState>
    </Page>
  )
}

export function InsightsPage() {
  return (
    <Page title="Insights">
      <EmptyState action={<AppLink to="/releases">Open Releases</AppLink>}>
        Adoption, success rates and lessons across releases will stand here. Until then each release shows its own
        numbers.
      </EmptyState>
    </Page>
  )
}
