import type { FastifyInstance } from 'fastify'
import type { Services } from '#/platform/feature.ts'
import { sendBlob } from './send-blob.ts'

/**
 * Blobs for devices, relays and caches. Open to everybody who knows the digest: what it is shows its hash, and who
 * may install it says the signed assignment.
 */
export function registerBlobRoutes(app: FastifyInstance, services: Services): void {
  app.route<{ Params: { hex: string } }>({
    method: ['GET', 'HEAD'],
    url: '/blobs/sha256/:hex',
    handler: async (request, reply) => {
      const { hex } = request.params
      const isSent = /^[0-9a-f]{64}$/.test(hex) && (await sendBlob(request, reply, services.blobs, `sha256:${hex}`))
      if (!isSent) await reply.status(404).send({ code: 'NOT_FOUND', message: 'No such blob.' })
      return reply
    },
  })
}
