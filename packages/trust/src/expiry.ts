/** Instants of signed documents: "2026-11-23T08:00:00Z", as TUF writes them. Anything else never means "for ever". */
export function expiryFrom(text: unknown): Temporal.Instant | undefined {
  if (typeof text !== 'string' || !/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/.test(text)) return undefined
  try {
    return Temporal.Instant.from(text)
  } catch {
    // A month 13 passes the pattern and is refused here; that is the answer, not a failure.
    return undefined
  }
}

/** The text of an expiry, whole seconds, rounded down so that it never lasts longer than asked for. */
export function expiryText(at: Temporal.Instant): string {
  return at.toString({ smallestUnit: 'second', roundingMode: 'floor' })
}
