import { Link } from '@tanstack/react-router'
import styles from './DeviceBar.module.css'
import { formatCount, formatShare } from './format.ts'

export type DeviceBucket =
  | 'verified'
  | 'already-present'
  | 'installing'
  | 'downloading'
  | 'offered'
  | 'blocked'
  | 'silent'
  | 'failed'
  | 'backed-out'
  | 'excused'
  | 'not-applicable'
  | 'cancelled'
  | 'superseded'
  | 'not-started'

/** In the order of the bar: what is done, what moves, what is stuck, what came back, what has not begun. */
export const bucketWords: Record<DeviceBucket, string> = {
  verified: 'Verified',
  'already-present': 'Already there',
  installing: 'Installing',
  downloading: 'Downloading',
  offered: 'Offered, not begun',
  blocked: 'Blocked',
  silent: 'Silent',
  failed: 'Failed',
  'backed-out': 'Backed out',
  excused: 'Excused',
  'not-applicable': 'Does not apply',
  cancelled: 'Cancelled',
  superseded: 'Superseded',
  'not-started': 'Not started',
}

/** Always listed, even at zero: a missing "Failed" line would leave the question open. */
const alwaysListed: ReadonlySet<DeviceBucket> = new Set([
  'verified',
  'installing',
  'downloading',
  'failed',
  'backed-out',
  'not-started',
])

export interface DeviceBarProps {
  counts: Readonly<Record<DeviceBucket, number>>
  /** The Fleet filter that shows the devices of one bucket. */
  filterFor?: ((bucket: DeviceBucket) => string) | undefined
}

/** The bar shows the proportions; the table below it is the real control, because slivers cannot be hit. */
export function DeviceBar({ counts, filterFor }: DeviceBarProps) {
  const buckets = Object.keys(bucketWords) as DeviceBucket[]
  const total = buckets.reduce((sum, bucket) => sum + counts[bucket], 0)
  const listed = buckets.filter((bucket) => counts[bucket] > 0 || alwaysListed.has(bucket))
  const label = listed.map((bucket) => `${bucketWords[bucket]} ${formatCount(counts[bucket])}`).join(', ')
  return (
    <div>
      {/* oxlint-disable-next-line jsx-a11y/prefer-tag-over-role -- drawn by several elements, so no <img> */}
      <div className={styles.bar} role="img" aria-label={label}>
        {buckets
          .filter((bucket) => counts[bucket] > 0)
          .map((bucket) => (
            <span key={bucket} data-bucket={bucket} style={{ flexGrow: counts[bucket] }} />
          ))}
      </div>
      <ul className={styles.legend}>
        {listed.map((bucket) => (
          <LegendLine
            key={bucket}
            bucket={bucket}
            count={counts[bucket]}
            total={total}
            filter={filterFor?.(bucket) ?? null}
          />
        ))}
      </ul>
    </div>
  )
}

interface LegendLineProps {
  bucket: DeviceBucket
  count: number
  total: number
  filter: string | null
}

function LegendLine({ bucket, count, total, filter }: LegendLineProps) {
  const line = (
    <>
      <i data-bucket={bucket} aria-hidden />
      <span>{bucketWords[bucket]}</span>
      <b className="num">{formatCount(count)}</b>
      <span className="num">{formatShare(count, total)}</span>
    </>
  )
  return (
    <li>
      {filter === null ? (
        <div>{line}</div>
      ) : (
        <Link to="/fleet" search={{ q: filter }}>
          {line}
        </Link>
      )}
    </li>
  )
}
