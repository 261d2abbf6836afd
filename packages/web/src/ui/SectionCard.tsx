import { useId, type ReactNode } from 'react'
import styles from './SectionCard.module.css'

interface SectionCardProps {
  title: string
  /** One sentence beside the title. */
  hint?: ReactNode
  /** At the right end of the title line. */
  actions?: ReactNode
  tone?: 'plain' | 'gate'
  children: ReactNode
}

export function SectionCard({ title, hint, actions, tone = 'plain', children }: SectionCardProps) {
  const headingId = useId()
  return (
    <section className={styles.card} data-tone={tone} aria-labelledby={headingId}>
      <div className={styles.head}>
        <h2 id={headingId}>{title}</h2>
        {hint === undefined ? null : <span className={styles.hint}>{hint}</span>}
        {actions === undefined ? null : <div className={styles.actions}>{actions}</div>}
      </div>
      {children}
    </section>
  )
}
