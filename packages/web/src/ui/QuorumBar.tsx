import styles from './QuorumBar.module.css'
import { formatCount } from './format.ts'

/** As many segments as signatures are needed. */
export function QuorumBar({ signed, needed }: { signed: number; needed: number }) {
  const segments = Array.from({ length: needed }, (_, index) => index)
  return (
    // oxlint-disable-next-line jsx-a11y/prefer-tag-over-role -- drawn by several elements, so no <img>
    <div className={styles.bar} role="img" aria-label={`${formatCount(signed)} of ${formatCount(needed)} signatures`}>
      {segments.map((index) => (
        <i key={index} data-signed={index < signed || undefined} />
      ))}
    </div>
  )
}
