/** How one request to one source ended. `done` says only that its bytes came; whether they are right shows the hash. */
export type FetchOutcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'cut'; readonly detail: string }
  | { readonly kind: 'stalled' }
  /** The source asked for time. */
  | { readonly kind: 'busy'; readonly detail: string; readonly retryAfterMs: number }
  /** It failed and may do better next time. */
  | { readonly kind: 'failed'; readonly detail: string }
  /** It does not have it, or not what was asked for; asking again is of no use. */
  | { readonly kind: 'refused'; readonly detail: string }
  | { readonly kind: 'wrong-length'; readonly detail: string }

export interface RangeRequest {
  readonly url: string
  readonly from: number
  readonly sizeBytes: number
  readonly stallMs: number
  readonly signal: AbortSignal | undefined
  /** Takes bytes in order from `from` on; never more than up to `sizeBytes`. */
  readonly take: (bytes: Uint8Array) => void
}

const retryAfterMaxMs = 24 * 3_600_000

/**
 * Asks one source for the rest of a blob. A source that ignores the range gives the bytes again from the start; those
 * that are there already are passed over. Bytes beyond the signed length are never taken.
 */
export async function fetchRange(request: RangeRequest): Promise<FetchOutcome> {
  const stall = new AbortController()
  const timer = setTimeout(() => stall.abort(), request.stallMs)
  const signals = request.signal ? [stall.signal, request.signal] : [stall.signal]
  // A failure of the part file (a full disk) is not the source's fault and goes up unchanged.
  let ownFailure: { cause: unknown } | undefined
  const take = (bytes: Uint8Array): void => {
    timer.refresh()
    try {
      request.take(bytes)
    } catch (cause) {
      ownFailure = { cause }
      throw cause
    }
  }
  try {
    const response = await fetch(request.url, {
      signal: AbortSignal.any(signals),
      // Compressed in transit, the lengths would no longer be those of the blob.
      headers: { 'accept-encoding': 'identity', ...(request.from > 0 && { range: `bytes=${request.from}-` }) },
    })
    timer.refresh()
    const verdict = judgeAnswer(response, request)
    if (verdict.kind !== 'done') {
      await response.body?.cancel()
      return verdict
    }
    return await takeBody(response, request, take)
  } catch (cause) {
    if (ownFailure) throw ownFailure.cause
    request.signal?.throwIfAborted()
    return stall.signal.aborted ? { kind: 'stalled' } : { kind: 'cut', detail: describe(cause) }
  } finally {
    clearTimeout(timer)
    stall.abort()
  }
}

async function takeBody(
  response: Response,
  { from, sizeBytes }: RangeRequest,
  take: (bytes: Uint8Array) => void,
): Promise<FetchOutcome> {
  let at = response.status === 206 ? from : 0
  if (!response.body) return { kind: 'cut', detail: 'no body' }
  for await (const bytes of response.body) {
    const start = Math.max(0, from - at)
    const end = Math.min(bytes.length, sizeBytes - at)
    take(bytes.subarray(Math.min(start, end), end))
    at += bytes.length
    if (at > sizeBytes) return { kind: 'wrong-length', detail: `more than ${sizeBytes} bytes` }
  }
  return at === sizeBytes ? { kind: 'done' } : { kind: 'cut', detail: `ended at byte ${at} of ${sizeBytes}` }
}

function judgeAnswer(response: Response, { from, sizeBytes }: RangeRequest): FetchOutcome {
  const { status, headers } = response
  const retryAfterMs = parseRetryAfter(headers.get('retry-after'), Date.now())
  if (status >= 400 && retryAfterMs !== undefined) return { kind: 'busy', detail: `HTTP ${status}`, retryAfterMs }
  if (status === 206) {
    const range = /^bytes (?<start>\d+)-\d+\/(?<total>\d+)$/.exec(headers.get('content-range') ?? '')?.groups
    if (Number(range?.['start']) !== from) return { kind: 'refused', detail: 'answered with another range' }
    return judgeLength(Number(range?.['total']), sizeBytes)
  }
  if (status === 200) {
    const length = headers.get('content-length')
    return length === null ? { kind: 'done' } : judgeLength(Number(length), sizeBytes)
  }
  const detail = `HTTP ${status}`
  return status === 429 || status >= 500 ? { kind: 'failed', detail } : { kind: 'refused', detail }
}

function judgeLength(found: number, sizeBytes: number): FetchOutcome {
  if (found === sizeBytes) return { kind: 'done' }
  return { kind: 'wrong-length', detail: `says ${found} bytes instead of ${sizeBytes}` }
}

/** Seconds or an HTTP date, as milliseconds from now; at most a day. */
export function parseRetryAfter(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - nowMs
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, ms), retryAfterMaxMs)
}

/** undici hides what happened behind "fetch failed" and "terminated". */
function describe(cause: unknown): string {
  const inner = (cause as Error).cause
  const code = (inner as NodeJS.ErrnoException | undefined)?.code
  return code ?? (inner instanceof Error ? inner.message : (cause as Error).message)
}
