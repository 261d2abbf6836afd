import { useLive } from '#/api/live.ts'

interface Freshness {
  disabled?: boolean
  title?: string
}

/** For acts that need fresh numbers: off while the connection is lost, and the reason is said. */
export function useFreshness(): Freshness {
  const isStale = useLive().kind === 'reconnecting'
  return isStale ? { disabled: true, title: 'Waits for the connection: the numbers on this page are old' } : {}
}
