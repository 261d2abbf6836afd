import { IconCheck } from '@tabler/icons-react'
import styles from './CasePage.module.css'
import type { Case } from './case-view.ts'
import { AppLink } from '#/ui/AppLink.tsx'
import { SectionCard } from '#/ui/SectionCard.tsx'
import { formatMoment } from '#/ui/format.ts'

/** What the decision means for the fleet from the moment it was published. */
export function AfterCard({ found }: { found: Case }) {
  return (
    <SectionCard
      title="What devices may do now"
      hint={found.decidedAt === null ? undefined : `Decided ${formatMoment(found.decidedAt)}`}
      actions={
        <AppLink to="/releases/$releaseId" params={{ releaseId: found.releaseId }} fz={12.5}>
          Open the release
        </AppLink>
      }
    >
      <ul className={styles.sentences} data-hue="go">
        {found.devicesMayNow.map((sentence) => (
          <li key={sentence}>
            <IconCheck size={14} stroke={2.4} aria-hidden />
            {sentence}
          </li>
        ))}
      </ul>
    </SectionCard>
  )
}
