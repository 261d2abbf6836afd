import { useEffect, type ReactNode } from 'react'
import styles from './Page.module.css'

interface PageProps {
  title: string
  /** Above the title: the list that this page came from. */
  trail?: ReactNode
  /** Beside the title, in a quieter voice: "100,000 devices". */
  note?: ReactNode
  actions?: ReactNode
  /** Fills the window and scrolls inside, for long tables. */
  fills?: boolean
  children: ReactNode
}

export function Page({ title, trail, note, actions, fills = false, children }: PageProps) {
  useTitle(title)
  return (
    <div className={styles.page} data-fills={fills || undefined}>
      <header className={styles.head}>
        <div>
          {trail === undefined ? null : (
            <nav aria-label="Breadcrumb" className={styles.trail}>
              {trail}
            </nav>
          )}
          <h1>
            {title}
            {note === undefined ? null : <span className="num">{note}</span>}
          </h1>
        </div>
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
