import type { ReactNode } from 'react'
import styles from './SettingsSection.module.css'

interface SettingsSectionProps {
  title: string
  lead: string
  actions?: ReactNode
  children: ReactNode
}

/** One part of the settings: what it is about, what can be done, what is there. */
export function SettingsSection({ title, lead, actions, children }: SettingsSectionProps) {
  return (
    <section className={styles.section} aria-label={title}>
      <div className={styles.head}>
        <div>
          <h2>{title}</h2>
          <p>{lead}</p>
        </div>
        <div className={styles.actions}>{actions}</div>
      </div>
      {children}
    </section>
  )
}
