import { api } from '@bascule/contract/api.ts'
import { defaultBodyBytes } from '@bascule/contract/lib/procedure.ts'
import { walkProcedures } from '@bascule/contract/lib/walk.ts'
import type { ProcedureEntry } from '@bascule/contract/lib/walk.ts'
import { assert } from '@bascule/domain/lib/result.ts'
import { OpenAPIHandler } from '@orpc/openapi/fastify'
import { ORPCError } from '@orpc/server'
import type { FastifyInstance } from 'fastify'
import type { Services } from '#/platform/feature.ts'
import type { Actor } from '#/platform/lib/actor.ts'
import { badInputError } from '#/platform/lib/answer.ts'
import { router } from '#/router.ts'
import { admit } from './admit.ts'
import { errorFrom } from './errors.ts'
import type { CallContext } from './os.ts'
import { findUnstorable } from './unstorable.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls, once `admit` has answered. */
    actor: Actor | undefined
  }
}

/** One HTTP route per procedure of the contract, each behind its own permission and its own limit for the body. */
export function registerApi(app: FastifyInstance, services: Services): void {
  const handler = new OpenAPIHandler<CallContext>(router, {
    clientInterceptors: [
      async (options) => {
        const problem = findUnstorable(options.input)
        if (problem !== undefined) throw defined(badInputError([problem]))
        try {
          return await options.next()
        } catch (cause) {
          throw defined(errorFrom(cause))
        }
      },
    ],
    interceptors: [
      async (options) => {
        try {
          return await options.next()
        } catch (cause) {
          if (!(cause instanceof ORPCError) || cause.status >= 500) {
            options.context.log.error(
              { err: cause instanceof ORPCError ? (cause.cause ?? cause) : cause },
              'procedure failed',
            )
          }
          throw cause
        }
      },
    ],
  })
  app.decorateRequest('actor')
  app.addContentTypeParser('text/csv', { parseAs: 'string' }, (_request, body, done) => {
    done(null, body)
  })
  for (const procedure of walkProcedures(api)) registerProcedure(app, services, handler, procedure)
}

function registerProcedure(
  app: FastifyInstance,
  services: Services,
  handler: OpenAPIHandler<CallContext>,
  { name, meta, route }: ProcedureEntry,
): void {
  const { permission, bodyBytes = defaultBodyBytes } = meta
  assert(permission !== undefined && route.path !== undefined, `${name} names its permission and its path`)
  app.route({
    method: route.method ?? 'POST',
    url: `/api${route.path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
    bodyLimit: bodyBytes,
    onRequest: async (request) => {
      request.actor = await admit(services, request, permission)
    },
    handler: async (request, reply) => {
      assert(request.actor !== undefined, 'a procedure runs only after admit')
      const context = { services, db: services.db, actor: request.actor, now: services.now(), log: request.log }
      const { matched } = await handler.handle(request, reply, { prefix: '/api', context: context as CallContext })
      assert(matched, `${name} is answered by the router`)
    },
  })
}

/** Tells clients that this error is in the contract, so that they get it with its type. */
function defined(error: ORPCError<string, unknown>): ORPCError<string, unknown> {
  const { code, status, message, data, cause } = error
  return new ORPCError(code, { status, message, data, cause, defined: status < 500 })
}
