import type { Permission } from '@bascule/domain/estate/permission.ts'
import { isAllowedSomewhere } from '@bascule/domain/estate/role.ts'
import { ORPCError } from '@orpc/server'
import type { FastifyRequest } from 'fastify'
import type { Services } from '#/platform/feature.ts'
import type { Actor } from '#/platform/lib/actor.ts'
import { forbidden } from '#/platform/lib/answer.ts'

/** Who calls a procedure that is open to everybody. It may do nothing else. */
export const nobody: Actor = { kind: 'system', id: 'nobody', name: 'Somebody not signed in', grants: [] }

/**
 * The door of every route for people and machines: answers who calls, or throws 401 for nobody we know, 403 for a write
 * that another site sent with our cookie, and 403 with the name of the permission that is missing everywhere.
 * It runs before the body is read.
 */
export async function admit(
  services: Services,
  request: FastifyRequest,
  permission: Permission | 'public',
): Promise<Actor> {
  if (permission === 'public') return nobody
  const caller = await services.identity.whoIs(request.headers)
  if (caller === undefined) throw new ORPCError('SIGN_IN_NEEDED', { status: 401, message: 'Sign in first.' })
  if (caller.by === 'cookie') refuseForeignWrite(services, request)
  if (!isAllowedSomewhere(caller.actor.grants, permission)) throw forbidden(permission)
  return caller.actor
}

/** Throws for a write that another site may have sent. Browsers send an Origin with every write and no page can forge it. */
export function refuseForeignWrite(services: Services, request: FastifyRequest): void {
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  if (isRead || request.headers.origin === originOf(services, request)) return
  throw new ORPCError('CROSS_SITE', { status: 403, message: 'This write does not come from our own pages.' })
}

/** The address that the browser used: the configured one, else the one it asked for. */
export function originOf(services: Pick<Services, 'config'>, request: FastifyRequest): string {
  const { publicUrl } = services.config
  return publicUrl === undefined ? `${request.protocol}://${request.host}` : new URL(publicUrl).origin
}
