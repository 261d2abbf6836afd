import styles from './PaceChart.module.css'
import type { Rollout } from './cockpit-view.ts'
import { formatClock, formatCount, formatMoment } from '#/ui/format.ts'

const width = 230
const height = 96
const dayMs = 86_400_000

/** Verified devices over time, against all that count. */
export function PaceChart({ rollout }: { rollout: Rollout }) {
  const points = rollout.pace
  const first = points[0]
  const last = points.at(-1)
  const total = rollout.whole.countable
  if (first === undefined || last === undefined || points.length < 2 || total === 0) {
    return <p className={styles.none}>The pace shows here once the first devices are verified.</p>
  }
  const startMs = Date.parse(first.at)
  const spanMs = Math.max(1, Date.parse(last.at) - startMs)
  const x = (at: string) => ((Date.parse(at) - startMs) / spanMs) * width
  const y = (verified: number) => height - (verified / total) * (height - 14)
  const line = points
    .map((point, index) => `${index === 0 ? 'M' : 'L'}${x(point.at).toFixed(1)} ${y(point.verified).toFixed(1)}`)
    .join('')
  const label = (at: string) => (spanMs < dayMs ? formatClock(at) : formatMoment(at))
  const sentence = `${formatCount(last.verified)} of ${formatCount(total)} verified`
  return (
    <figure className={styles.chart}>
      <svg
        viewBox={`0 0 ${width} ${height + 14}`}
        role="img"
        aria-label={`${sentence}, from ${label(first.at)} to ${label(last.at)}`}
      >
        <line className={styles.goal} x1="0" x2={width} y1={y(total)} y2={y(total)} />
        <text x="2" y={y(total) - 4}>
          all {formatCount(total)}
        </text>
        <path className={styles.area} d={`${line}L${width} ${height}L0 ${height}Z`} />
        <path className={styles.line} d={line} />
        <circle className={styles.now} cx={x(last.at)} cy={y(last.verified)} r="3.4" />
        <line className={styles.axis} x1="0" x2={width} y1={height} y2={height} />
        <text x="0" y={height + 12}>
          {label(first.at)}
        </text>
        <text x={width} y={height + 12} textAnchor="end">
          {label(last.at)}
        </text>
      </svg>
      <figcaption>
        <b>{sentence}</b>
      </figcaption>
    </figure>
  )
}
