import { AppLink } from './AppLink.tsx'
import styles from './CauseList.module.css'
import { RelativeTime } from './RelativeTime.tsx'
import { formatCount } from './format.ts'

export type Healer = 'by-itself' | 'user' | 'desk' | 'engineer'

/** Whose turn it is, by the word of the contract. */
export const turnWords = {
  'heals-itself': 'Nobody’s: it recovers by itself',
  user: 'The user’s',
  desk: 'The service desk’s',
  engineer: 'An engineer’s',
} as const

const healerWords: Record<Healer, string> = {
  'by-itself': 'Recovers by itself',
  user: 'Needs the user',
  desk: 'Needs the service desk',
  engineer: 'Needs an engineer',
}

export interface Cause {
  healer: Healer
  /** "Disk full, 1.4 GB needed". */
  what: string
  /** What happens next or what to do. */
  hint: string
  count: number
  oldestAt?: string | undefined
  /** The list of these devices. */
  link?: { releaseId: string; cause: string } | undefined
}

/** Failures sorted by who can heal them, those that need a person first. */
export function CauseList({ causes }: { causes: readonly Cause[] }) {
  const order: Healer[] = ['engineer', 'desk', 'user', 'by-itself']
  const sorted = causes.toSorted(
    (a, b) => order.indexOf(a.healer) - order.indexOf(b.healer) || b.count - a.count || a.what.localeCompare(b.what),
  )
  return (
    <ul className={styles.list}>
      {sorted.map((cause) => (
        <li key={`${cause.healer} ${cause.what}`}>
          <b className="num">{formatCount(cause.count)}</b>
          <div>
            {cause.link === undefined ? (
              <span>{cause.what}</span>
            ) : (
              <AppLink
                to="/releases/$releaseId/devices"
                params={{ releaseId: cause.link.releaseId }}
                search={{ cause: cause.link.cause }}
              >
                {cause.what}
              </AppLink>
            )}
            <span className="dim">{cause.hint}</span>
            {cause.oldestAt === undefined ? null : (
              <span className="dim">
                oldest <RelativeTime at={cause.oldestAt} />
              </span>
            )}
          </div>
          <span className={styles.healer} data-needs-person={cause.healer !== 'by-itself' || undefined}>
            {healerWords[cause.healer]}
          </span>
        </li>
      ))}
    </ul>
  )
}
