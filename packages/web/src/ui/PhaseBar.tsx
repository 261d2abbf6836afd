import styles from './PhaseBar.module.css'
import { formatCount } from './format.ts'

export interface PhaseBarProps {
  total: number
  verified: number
  inFlight: number
  failed: number
  /** Where the phase may advance, in percent of its devices; without one there is no tick. */
  advancePercent?: number | undefined
}

export function PhaseBar({ total, verified, inFlight, failed, advancePercent }: PhaseBarProps) {
  const advance = advancePercent === undefined ? '' : `, advances at ${advancePercent} %`
  const label = `${formatCount(verified)} of ${formatCount(total)} verified, ${formatCount(inFlight)} in progress, ${formatCount(failed)} failed${advance}`
  return (
    // oxlint-disable-next-line jsx-a11y/prefer-tag-over-role -- drawn by several elements, so no <img>
    <div className={styles.bar} role="img" aria-label={label}>
      <div className={styles.fill}>
        <Segment part={verified} total={total} kind="verified" />
        <Segment part={inFlight} total={total} kind="in-flight" />
        <Segment part={failed} total={total} kind="failed" />
      </div>
      {advancePercent === undefined ? null : (
        <i className={styles.tick} style={{ left: `min(${advancePercent}%, calc(100% - 2px))` }} />
      )}
    </div>
  )
}

function Segment({ part, total, kind }: { part: number; total: number; kind: string }) {
  if (part === 0 || total === 0) return null
  // One failed device among 5,000 must still be visible.
  return <span data-kind={kind} style={{ width: `max(3px, ${(part / total) * 100}%)` }} />
}
