import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Services } from '#/platform/feature.ts'
import { clientHeader } from '#/platform/identity/auth.ts'
import { createSignInAttempts, type SignInAttempts } from '#/platform/identity/sign-in-attempts.ts'
import { originOf, refuseForeignWrite } from './admit.ts'

/**
 * The only doors of better-auth that are open. It has many more (sign-up, other people's sessions, linking accounts),
 * and a new version may bring others; whatever is not named here does not exist.
 */
const openRoutes = [
  ['POST', '/sign-in/email'],
  ['GET', '/sign-in/link'],
  ['POST', '/sign-out'],
  ['GET', '/get-session'],
] as const

export function registerAuthRoutes(app: FastifyInstance, services: Services): void {
  const handle = async (request: FastifyRequest): Promise<Response> =>
    await services.identity.handle(requestFrom(services, request))
  const attempts = createSignInAttempts(() => services.now().epochMilliseconds)
  const answers = new Map<string, typeof handle>([
    ['/sign-in/email', async (request) => await signInOnce(attempts, request, handle)],
    ['/sign-out', async (request) => await signOut(services, request, handle)],
  ])
  for (const [method, path] of openRoutes) {
    app.route({
      method,
      url: `/api/auth${path}`,
      exposeHeadRoute: false,
      bodyLimit: 10_000,
      onRequest: async (request) => {
        const { cookie, origin } = request.headers
        if (cookie !== undefined || origin !== undefined) refuseForeignWrite(services, request)
      },
      handler: async (request, reply) => {
        const answer = answers.get(path) ?? handle
        return await send(reply, await answer(request))
      },
    })
  }
}

type Handle = (request: FastifyRequest) => Promise<Response>

async function signInOnce(attempts: SignInAttempts, request: FastifyRequest, handle: Handle): Promise<Response> {
  const email = emailOf(request.body)
  const blockedMs = attempts.blockedMs(email)
  if (blockedMs > 0) return tooManyAttempts(Math.ceil(blockedMs / 1000))
  attempts.begin(email)
  let isWrong = false
  try {
    const response = await handle(request)
    isWrong = response.status === 401
    if (response.ok) attempts.succeeded(email)
    return response
  } finally {
    if (!isWrong) attempts.takeBack(email)
  }
}

function emailOf(body: unknown): string {
  const email = typeof body === 'object' && body !== null && 'email' in body ? body.email : ''
  return typeof email === 'string' ? email : ''
}

function tooManyAttempts(seconds: number): Response {
  const minutes = Math.ceil(seconds / 60)
  const wait = minutes === 1 ? 'a minute' : `${minutes} minutes`
  const message = `Too many wrong passwords for this account. Try again in ${wait}, or ask an administrator for a sign-in link.`
  const headers = { 'retry-after': String(seconds) }
  return Response.json({ code: 'TOO_MANY_ATTEMPTS', message }, { status: 429, headers })
}

/** Pages of the session that are open elsewhere hear that it ended. */
async function signOut(services: Services, request: FastifyRequest, handle: Handle): Promise<Response> {
  const caller = await services.identity.whoIs(request.headers)
  const response = await handle(request)
  if (response.ok && caller !== undefined) {
    const version = String(services.now().epochMilliseconds)
    services.bus.emit([{ entity: 'session', id: caller.actor.id, version }])
  }
  return response
}

function requestFrom(services: Services, request: FastifyRequest): Request {
  const headers = new Headers()
  for (const [name, value] of Object.entries(request.headers)) {
    if (typeof value === 'string' && name !== 'content-length') headers.set(name, value)
  }
  // Counting attempts per address works only when the address is the connection's and not what the client claims.
  headers.set(clientHeader, request.ip)
  headers.delete('x-forwarded-host')
  headers.delete('x-forwarded-proto')
  const url = `${originOf(services, request)}${request.url}`
  const body = request.method === 'POST' ? JSON.stringify(request.body ?? {}) : null
  return new Request(url, { method: request.method, headers, body })
}

async function send(reply: FastifyReply, response: Response): Promise<FastifyReply> {
  void reply.status(response.status)
  for (const [name, value] of response.headers) if (name !== 'set-cookie') void reply.header(name, value)
  const cookies = response.headers.getSetCookie()
  if (cookies.length > 0) void reply.header('set-cookie', cookies)
  return reply.send(await response.text())
}
