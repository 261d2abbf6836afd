import { formatExact, formatRelative } from './format.ts'
import { useMinute } from './use-minute.ts'

/** When something happened: relative under an hour; the exact time with its zone on hover. */
export function RelativeTime({ at }: { at: string }) {
  const nowMs = useMinute()
  return (
    <time dateTime={at} title={formatExact(at)} className="num">
      {formatRelative(at, nowMs)}
    </time>
  )
}
