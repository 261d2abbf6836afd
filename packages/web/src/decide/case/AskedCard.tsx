import { IconPointFilled } from '@tabler/icons-react'
import styles from './CasePage.module.css'
import type { Case } from './case-view.ts'
import { SectionCard } from '#/ui/SectionCard.tsx'

export function AskedCard({ found }: { found: Case }) {
  return (
    <SectionCard title="What is asked">
      <ul className={styles.sentences}>
        {found.asks.map((sentence) => (
          <li key={sentence}>
            <IconPointFilled size={10} aria-hidden />
            {sentence}
          </li>
        ))}
      </ul>
      {found.reason === null ? null : <p className={styles.reason}>{found.reason}</p>}
    </SectionCard>
  )
}
