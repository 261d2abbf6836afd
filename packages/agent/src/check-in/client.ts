import { DeviceProblem } from '@bascule/contract/device/protocol.ts'
import { signRequest } from '@bascule/trust/http-signature.ts'
import type { KeyPair } from '@bascule/trust/keys.ts'
import type * as z from 'zod'

/** What a request came to. `later` is nobody's fault: try again, not before `retryAfterMs` when the server named a time. */
export type Reply<Body> =
  | { readonly kind: 'ok'; readonly body: Body }
  | { readonly kind: 'later'; readonly why: string; readonly retryAfterMs: number | null }
  | { readonly kind: 'refused'; readonly problem: DeviceProblem }

export interface PostRequest {
  readonly server: string
  readonly path: string
  readonly body: unknown
  readonly signal: AbortSignal
  /** Absent for enrolment, where the device is not known yet. */
  readonly signedBy?: { readonly key: KeyPair; readonly seq: number; readonly now: string }
}

const timeoutMs = 60_000
const retryAfterMaxMs = 86_400_000

/** Sends one request to the server and reads its answer. Throws only when the agent is being stopped. */
export async function post<Schema extends z.ZodType>(
  request: PostRequest,
  schema: Schema,
): Promise<Reply<z.infer<Schema>>> {
  const url = new URL(request.path.replace(/^\//, ''), request.server.replace(/\/?$/, '/'))
  const body = JSON.stringify(request.body)
  const signed = request.signedBy
  const signature = signed
    ? signRequest(signed.key, {
        method: 'POST',
        path: url.pathname,
        body,
        seq: signed.seq,
        now: Temporal.Instant.from(signed.now),
      })
    : {}
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...signature },
      body,
      signal: AbortSignal.any([request.signal, AbortSignal.timeout(timeoutMs)]),
    })
    return readReply(response, await response.text(), schema)
  } catch (error) {
    request.signal.throwIfAborted()
    return { kind: 'later', why: reasonOf(error), retryAfterMs: null }
  }
}

function readReply<Schema extends z.ZodType>(response: Response, text: string, schema: Schema): Reply<z.infer<Schema>> {
  const retryAfterMs = retryAfterOf(response.headers.get('retry-after'))
  const value = jsonFrom(text)
  if (response.ok) {
    const parsed = schema.safeParse(value)
    if (parsed.success) return { kind: 'ok', body: parsed.data }
    // A captive portal answers 200 with a page of its own: that is weather, not an answer.
    return { kind: 'later', why: 'the answer is not one of a Bascule server', retryAfterMs }
  }
  const problem = DeviceProblem.safeParse(value)
  const isTemporary = response.status === 429 || response.status >= 500
  if (isTemporary || !problem.success || problem.data.code === 'busy') {
    return { kind: 'later', why: `the server answered ${response.status}`, retryAfterMs }
  }
  return { kind: 'refused', problem: problem.data }
}

/** Seconds or a date; binding on every status, but never longer than a day. */
export function retryAfterOf(header: string | null, nowMs = Date.now()): number | null {
  if (header === null) return null
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - nowMs
  return Number.isNaN(ms) ? null : Math.min(retryAfterMaxMs, Math.max(0, ms))
}

function jsonFrom(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Not JSON is an answer like any other that does not fit; the schema says so.
    return undefined
  }
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return cause instanceof Error ? cause.message || cause.name : String(cause)
}
