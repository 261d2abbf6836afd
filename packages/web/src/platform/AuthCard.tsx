import type { ReactNode } from 'react'
import styles from './AuthCard.module.css'
import { BridgeMark } from '#/ui/BridgeMark.tsx'
import { useTitle } from '#/ui/Page.tsx'

/** The frame of the two pages that a person sees before being known. */
export function AuthCard({ title, lead, children }: { title: string; lead: string; children: ReactNode }) {
  useTitle(title)
  return (
    <main className={styles.place}>
      <div className={styles.card}>
        <div className={styles.brand}>
          <BridgeMark size={26} />
          Bascule
        </div>
        <h1>{title}</h1>
        <p>{lead}</p>
        {children}
      </div>
    </main>
  )
}
