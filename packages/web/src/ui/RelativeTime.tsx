import { formatExact, formatRelative } from './format.ts'
import { useMinute } from './use-minute.ts'

/** Our present is up to a tick old, and the server's clock is not the browser's. */
const behindMaxMs = 30_000

/** When something happened: relative under an hour; the exact time with its zone on hover. */
export function RelativeTime({ at }: { at: string }) {
  const minuteMs = useMinute()
  const atMs = Date.parse(at)
  // What happened a second ago never reads as something to come.
  const nowMs = atMs > minuteMs && atMs - minuteMs < behindMaxMs ? atMs : minuteMs
  return (
    <time dateTime={at} title={formatExact(at)} className="num">
      {formatRelative(at, nowMs)}
    </time>
  )
}
