import styles from './FailureBudget.module.css'
import { formatCount } from './format.ts'

interface FailureBudgetProps {
  failed: number
  /** How many devices may fail before the phase stops by itself. */
  allowed: number
  hasStarted: boolean
}

export function FailureBudget({ failed, allowed, hasStarted }: FailureBudgetProps) {
  if (!hasStarted) return <span className="dim num">{formatCount(allowed)} allowed</span>
  const spent = allowed === 0 ? (failed > 0 ? 1 : 0) : Math.min(1, failed / allowed)
  return (
    <span className={styles.budget}>
      <b className="num">{formatCount(failed)}</b>
      <span className="num">of {formatCount(allowed)} allowed</span>
      <span className={styles.bar} aria-hidden>
        <i style={{ width: `${spent * 100}%` }} data-hot={spent > 0.6 || undefined} />
      </span>
    </span>
  )
}
