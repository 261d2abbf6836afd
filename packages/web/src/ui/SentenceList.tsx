import type { ReactNode } from 'react'
import styles from './SentenceList.module.css'

export interface Sentence {
  key: string
  text: ReactNode
}

/** Consequences or facts, one plain sentence each. */
export function SentenceList({ sentences }: { sentences: readonly Sentence[] }) {
  return (
    <ul className={styles.list}>
      {sentences.map((sentence) => (
        <li key={sentence.key}>{sentence.text}</li>
      ))}
    </ul>
  )
}
