import { ORPCError } from '@orpc/client'

/** Reads JSON from our own server. An error answer is thrown in the same form as by the API's client. */
export async function readJson<Answer>(path: string, init: RequestInit): Promise<Answer> {
  const answer = await fetch(path, init)
  const body = (await answer.json().catch(() => undefined)) as unknown
  if (answer.ok) return body as Answer
  const { code, message, data } = (body ?? {}) as { code?: string; message?: string; data?: unknown }
  throw new ORPCError(code ?? 'INTERNAL_SERVER_ERROR', {
    status: answer.status,
    data,
    ...(message === undefined ? {} : { message }),
  })
}
