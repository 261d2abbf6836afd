import type { FleetWork } from '@bascule/contract/views/fleet.ts'
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
  /** The release whose devices these are; each line then opens the list of its devices. */
  releaseId?: string | undefined
}

/** The bar shows the proportions; the table below it is the real control, because slivers cannot be hit. */
export function DeviceBar({ counts, releaseId }: DeviceBarProps) {
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
          <LegendLine key={bucket} bucket={bucket} count={counts[bucket]} total={total} releaseId={releaseId} />
        ))}
      </ul>
    </div>
  )
}

interface LegendLineProps {
  bucket: DeviceBucket
  count: number
  total: number
  releaseId: string | undefined
}

function LegendLine({ bucket, count, total, releaseId }: LegendLineProps) {
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
      {releaseId === undefined || count === 0 ? (
        <div>{line}</div>
      ) : (
        <Link to="/fleet" search={{ release: releaseId, ...workSearch(bucket) }}>
          {line}
        </Link>
      )}
    </li>
  )
}

const workByBucket: Partial<Record<DeviceBucket, FleetWork>> = {
  verified: 'verified',
  'already-present': 'verified',
  installing: 'installing',
  downloading: 'downloading',
  offered: 'offered',
  blocked: 'blocked',
  failed: 'failed',
  'backed-out': 'backed-out',
  excused: 'left-out',
  'not-applicable': 'left-out',
  cancelled: 'left-out',
  superseded: 'left-out',
  'not-started': 'not-started',
}

/** Silence is told by the device and not by its work. */
function workSearch(bucket: DeviceBucket): { work?: FleetWork; q?: string } {
  const work = workByBucket[bucket]
  return work === undefined ? { q: 'state:silent' } : { work }
}
