import type { ReactNode } from 'react'
import styles from './TodayPage.module.css'

/** A section in which nothing is: one sentence, and what can be done about it at its end. */
export function QuietLine({ action, children }: { action?: ReactNode; children: ReactNode }) {
  return (
    <div className={styles.list}>
      <p className="dim">{children}</p>
      {action}
    </div>
  )
}
