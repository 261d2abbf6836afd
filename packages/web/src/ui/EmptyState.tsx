import type { ReactNode } from 'react'
import styles from './EmptyState.module.css'

/** One sentence on what belongs here and one thing to do about it. */
export function EmptyState({ children, action }: { children: ReactNode; action?: ReactNode }) {
  return (
    <div className={styles.empty}>
      <p>{children}</p>
      {action}
    </div>
  )
}
