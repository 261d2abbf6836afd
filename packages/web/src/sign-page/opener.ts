import { z } from 'zod'
import type { Answer } from './answers.ts'
import { requestFrom, type SignRequest } from './requests.ts'

/** The window that opened this one, as the only one that is answered. */
export interface Opener {
  /** The first request of the application; later ones are not heard. */
  readonly request: Promise<SignRequest>
  answer(answer: Answer): void
}

const MainOrigin = z.object({ mainOrigins: z.array(z.url()).min(1) })

/** Origins of the application, as the one who serves this page has set them. Never taken from a message. */
export async function fetchMainOrigins(): Promise<readonly string[]> {
  const response = await fetch('/main-origin.json')
  if (!response.ok) throw new Error(`Asking which application this page belongs to: ${response.status}`)
  return MainOrigin.parse(await response.json()).mainOrigins
}

/**
 * Listens to the opener. A message counts when the browser says that it comes from that very window and from exactly
 * one of these origins; the origin of the first one that counts is the only place that answers go to.
 */
export function listenTo(opener: Window, mainOrigins: readonly string[]): Opener {
  const { promise, resolve } = Promise.withResolvers<SignRequest>()
  let origin: string | undefined
  addEventListener('message', (event: MessageEvent<unknown>) => {
    if (origin !== undefined || event.source !== opener || !mainOrigins.includes(event.origin)) return
    const request = requestFrom(event.data)
    if (request === undefined) return
    ;({ origin } = event)
    resolve(request)
  })
  // That this page is there is no secret; where to send the rest is known only once the application has spoken.
  opener.postMessage({ type: 'ready' } satisfies Answer, '*')
  return {
    request: promise,
    answer: (answer) => {
      if (origin !== undefined) opener.postMessage(answer, origin)
    },
  }
}
