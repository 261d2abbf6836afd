import type { ReactNode } from 'react'
import styles from './KeyValue.module.css'

export interface KeyValueLine {
  key: string
  value: ReactNode
}

/** Pairs of a name and a value, one pair per line. */
export function KeyValue({ lines }: { lines: readonly KeyValueLine[] }) {
  return (
    <dl className={styles.list}>
      {lines.map((line) => (
        <div key={line.key}>
          <dt>{line.key}</dt>
          <dd>{line.value}</dd>
        </div>
      ))}
    </dl>
  )
}
