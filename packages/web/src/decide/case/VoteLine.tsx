import styles from './VoteLine.module.css'
import type { Vote } from './case-view.ts'
import { KeyLevelMark } from '#/ui/KeyLevelMark.tsx'
import { formatClockOrDay, formatDay, formatExact } from '#/ui/format.ts'
import { useMinute } from '#/ui/use-minute.ts'

interface VoteLineProps {
  vote: Vote
  isMine: boolean
  /** Whether what is missing is still waited for. */
  isOpen: boolean
}

const saidWords: Readonly<Record<Exclude<Vote['said'], 'nothing-yet'>, string>> = {
  go: 'Signed',
  'no-go': 'No-go',
  defer: 'Defer',
}

/** One member: who, in which role, with which kind of key, and what was said. */
export function VoteLine({ vote, isMine, isOpen }: VoteLineProps) {
  return (
    <li className={styles.line} data-mine={(isMine && vote.said === 'nothing-yet' && isOpen) || undefined}>
      <div className={styles.who}>
        <b>{isMine ? `${vote.name} (you)` : vote.name}</b>
        <KeyLevelMark level={vote.level} />
        <span>{vote.roles.join(', ')}</span>
      </div>
      <Said vote={vote} isMine={isMine} isOpen={isOpen} />
      {vote.reason === null ? null : (
        <p className={styles.reason}>
          {vote.untilOn === null ? null : <b>Until {formatDay(vote.untilOn)}. </b>}
          {vote.reason}
        </p>
      )}
    </li>
  )
}

function Said({ vote: { said, at }, isMine, isOpen }: VoteLineProps) {
  const nowMs = useMinute()
  if (said === 'nothing-yet') {
    if (!isOpen) return <span className={styles.said}>Nothing</span>
    return (
      <span className={styles.said} data-said={isMine ? 'your-turn' : undefined}>
        {isMine ? 'Your turn' : 'Waiting'}
      </span>
    )
  }
  return (
    <span className={`${styles.said} num`} data-said={said}>
      {saidWords[said]}
      {at === null ? null : (
        <>
          {' '}
          <time dateTime={at} title={formatExact(at)}>
            {formatClockOrDay(at, nowMs)}
          </time>
        </>
      )}
    </span>
  )
}
