import { SettingsSection } from '../settings/SettingsSection.tsx'
import { AppLink } from '#/ui/AppLink.tsx'
import { EmptyState } from '#/ui/EmptyState.tsx'

/** How devices come to know this server. */
export function EnrolmentSection() {
  return (
    <SettingsSection title="Enrolment" lead="A device enrols once with a token and makes its own key.">
      <EmptyState action={<AppLink to="/fleet">Open Fleet</AppLink>}>
        Tokens will be made and revoked here; an agent takes one with --token and shows up in the Fleet.
      </EmptyState>
    </SettingsSection>
  )
}
