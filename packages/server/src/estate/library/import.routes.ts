import { importPath } from '@bascule/contract/estate/library.ts'
import { limits } from '@bascule/contract/estate/oci.ts'
import { ORPCError } from '@orpc/server'
import type { FastifyInstance } from 'fastify'
import type { Services } from '#/platform/feature.ts'
import { admit } from '#/platform/http/admit.ts'
import { allow } from '#/platform/lib/actor.ts'
import { badInputError, forbidden } from '#/platform/lib/answer.ts'
import { importTar } from './import-tar.ts'
import { bodyOf, takeRawBodies } from './raw-body.ts'
import type { RegisterRefusal } from './register-version.ts'

/** Where a browser sends a package: one tar, taken as it comes. */
export function registerImportRoute(app: FastifyInstance, services: Services): void {
  void app.register(async (scope) => {
    takeRawBodies(scope)
    scope.route({
      method: 'POST',
      url: importPath,
      bodyLimit: limits.packageBytes,
      handler: async (request, reply) => {
        const actor = await admit(services, request, 'library.upload')
        if (!allow(actor, 'library.upload', {}).ok) throw forbidden('library.upload')
        const taken = await importTar(services, actor, services.now(), bodyOf(request))
        if (!taken.ok) throw errorOf(taken.error)
        return await reply.status(201).send(taken.value)
      },
    })
  })
}

function errorOf(refusal: RegisterRefusal): ORPCError<string, unknown> {
  if (refusal.kind === 'refused') {
    return new ORPCError('REFUSED', { status: 409, data: refusal.refusal, message: refusal.refusal.fact })
  }
  if (refusal.problems[0]?.rule === 'over-size') {
    const data = { limitBytes: limits.layerBytes }
    return new ORPCError('TOO_LARGE', { status: 413, message: 'The package is too large.', data })
  }
  return badInputError(refusal.problems.map(({ field, problem }) => ({ field, problem })))
}
