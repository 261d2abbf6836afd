import styles from './Shell.module.css'
import { useWaitingCases } from '#/decide/use-waiting-cases.ts'

/** What describes the link to the board aloud; the link itself keeps its name. */
export const boardMarkId = 'board-waits'

/** How many cases wait for this person's signature; nothing when none does. */
export function BoardMark() {
  const count = useWaitingCases().cases.length
  if (count === 0) return null
  return (
    <>
      <span className={styles.waits} aria-hidden>
        {count}
      </span>
      <span id={boardMarkId} hidden>
        {count} {count === 1 ? 'case waits' : 'cases wait'} for your signature
      </span>
    </>
  )
}
