import { IconShieldCheck } from '@tabler/icons-react'
import type { Rollout } from './cockpit-view.ts'
import styles from './AuthorityCard.module.css'
import { SectionCard } from '#/ui/SectionCard.tsx'

/** Who allowed this. The board's vote and quorum will stand here; until then the card says who decides instead. */
export function AuthorityCard({ rollout }: { rollout: Rollout | undefined }) {
  return (
    <SectionCard title="Authority">
      <p className={styles.words}>
        {rollout?.authority ?? 'Not authorised yet. Whoever may start rollouts authorises this release by starting it.'}
      </p>
      <p className={styles.later}>
        <IconShieldCheck size={14} aria-hidden />
        The board’s vote and its signatures come with a later version.
      </p>
    </SectionCard>
  )
}
