import * as z from 'zod'

/** An instant on the wire: ISO 8601 with a zone, "2026-11-23T08:00:00Z". */
export const instant = z.iso.datetime({ offset: true })

/** A calendar day on the wire: "2026-11-23". */
export const day = z.iso.date()

/** An IANA time zone that this runtime knows, "Europe/London". */
export const timeZone = z.string().max(64).refine(isTimeZone, 'is not a known time zone, for example Europe/London')

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    // Intl throws a RangeError for a name it does not know; that is the answer, not a failure.
    return false
  }
}
