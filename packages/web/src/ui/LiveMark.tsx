import styles from './LiveMark.module.css'
import { formatClock } from './format.ts'
import type { LiveState } from '#/api/live.ts'

/** Whether the numbers on the screen are the present. */
export function LiveMark({ state }: { state: LiveState }) {
  return (
    <output className={styles.mark} data-kind={state.kind}>
      <i aria-hidden />
      {wordsOf(state)}
    </output>
  )
}

function wordsOf(state: LiveState): string {
  if (state.kind === 'live') return 'Live'
  if (state.kind === 'connecting') return 'Connecting'
  return `Reconnecting, numbers from ${formatClock(new Date(state.sinceMs).toISOString())}`
}
