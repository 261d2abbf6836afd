import { PlanFormPage } from './PlanFormPage.tsx'
import { emptyDraft, planOf } from './release-plan.ts'
import { client } from '#/api/client.ts'
import { newKey } from '#/ui/form/new-key.ts'

export function NewReleasePage() {
  return (
    <PlanFormPage
      initial={emptyDraft(newKey)}
      title="New release"
      verb="Plan release"
      failed="The release was not planned"
      save={(draft) => client.plan.release.create(planOf(draft))}
    />
  )
}
