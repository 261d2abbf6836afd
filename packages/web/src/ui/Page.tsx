import { useEffect, type ReactNode } from 'react'
import styles from './Page.module.css'

interface PageProps {
  title: string
  /** Beside the title, in a quieter voice: "100,000 devices". */
  note?: ReactNode
  actions?: ReactNode
  /** Fills the window and scrolls inside, for long tables. */
  fills?: boolean
  children: ReactNode
}

export function Page({ title, note, actions, fills = false, children }: PageProps) {
  useTitle(title)
  return (
    <div className={styles.page} data-fills={fills || undefined}>
      <header className={styles.head}>
        <h1>
          {title}
          {note === undefined ? null : <span className="num">{note}</span>}
        </h1>
        {actions === undefined ? null : <div className={`${styles.actions} no-print`}>{actions}</div>}
      </header>
      {children}
    </div>
  )
}

/** The window's title, so that tabs, history and screen readers can tell pages apart. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} – Bascule`
  }, [title])
}
