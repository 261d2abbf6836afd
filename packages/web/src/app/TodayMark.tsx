import styles from './Shell.module.css'
import { useNeedsCount } from '#/views/today/use-needs-count.ts'

/** What describes the link to Today aloud; the link itself keeps its name. */
export const todayMarkId = 'today-waits'

/** How many things wait for this person; nothing when nothing does. */
export function TodayMark() {
  const count = useNeedsCount()
  if (count === 0) return null
  return (
    <>
      <span className={styles.waits} aria-hidden>
        {count}
      </span>
      <span id={todayMarkId} hidden>
        {count} {count === 1 ? 'waits' : 'wait'} for you
      </span>
    </>
  )
}
