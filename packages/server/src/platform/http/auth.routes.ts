import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Services } from '#/platform/feature.ts'
import { clientHeader } from '#/platform/identity/auth.ts'
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
        const response = await services.identity.handle(requestFrom(services, request))
        return await send(reply, response)
      },
    })
  }
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
