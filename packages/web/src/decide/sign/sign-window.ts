import type { MemberKey } from '../key/use-my-keys.ts'
import type { Draft } from './draft.ts'

/** What the signing page answers, on its own origin with keys that this page never sees. */
export type SignPageAnswer =
  | { type: 'signed'; draftId: string; signatures: { role: string; keyid: string; sig: string }[] }
  | { type: 'said'; signature: { keyid: string; sig: string } }
  | { type: 'key'; publicKey: string; wrapped: NonNullable<MemberKey['wrapped']>; proof: string }
  | { type: 'refused'; refusal: unknown }
  | { type: 'cancelled' }

export type SignPageRequest =
  | { type: 'sign'; draft: Draft; caseTitle: string; key: MemberKey }
  /** A no-go or a deferral: a statement of its own kind, never a role file. */
  | { type: 'say'; signed: Readonly<Record<string, unknown>>; caseTitle: string; key: MemberKey }
  | { type: 'make-key'; label: string; personName: string }

const watchMs = 400

/** Opens the signing page, hands it the request once it is ready, and waits for its one answer. */
export async function askSignPage(url: string, request: SignPageRequest): Promise<SignPageAnswer> {
  const { origin } = new URL(url)
  const page = window.open(`${origin}/sign.html`, 'bascule-sign', 'popup,width=520,height=760')
  if (page === null) throw new Error('The browser did not open the signing page. Allow pop-ups for this site.')
  const listening = new AbortController()
  try {
    return await new Promise<SignPageAnswer>((resolve) => {
      const hear = (event: MessageEvent<unknown>) => {
        if (event.origin !== origin || event.source !== page) return
        if (typeIn(event.data) === 'ready') page.postMessage(request, origin)
        const answer = answerFrom(event.data)
        if (answer !== undefined) resolve(answer)
      }
      window.addEventListener('message', hear, { signal: listening.signal })
      const watch = setInterval(() => {
        if (page.closed) resolve({ type: 'cancelled' })
      }, watchMs)
      listening.signal.addEventListener('abort', () => clearInterval(watch))
    })
  } finally {
    listening.abort()
    page.close()
  }
}

/** An answer of the agreed form; everything else is as if nothing had been said. */
export function answerFrom(data: unknown): SignPageAnswer | undefined {
  const has = (key: string, kind: 'string' | 'object') => typeof Reflect.get(Object(data), key) === kind
  switch (typeIn(data)) {
    case 'signed':
      return has('draftId', 'string') && has('signatures', 'object') ? (data as SignPageAnswer) : undefined
    case 'said':
      return has('signature', 'object') ? (data as SignPageAnswer) : undefined
    case 'key':
      return has('publicKey', 'string') && has('wrapped', 'object') && has('proof', 'string')
        ? (data as SignPageAnswer)
        : undefined
    case 'refused':
    case 'cancelled':
      return data as SignPageAnswer
    default:
      return undefined
  }
}

function typeIn(data: unknown): unknown {
  return typeof data === 'object' && data !== null ? Reflect.get(data, 'type') : undefined
}
