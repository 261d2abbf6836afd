import type { FastifyInstance, FastifyRequest } from 'fastify'

/** As long as an agent waits for the answer to what it sent. */
const bodyTimeMs = 60_000

/**
 * Cuts off who takes too long to send a body. Such a body is held in memory until it is whole, and anybody may begin to
 * send one. A body that its route reads as a stream is not held and may take as long as it needs.
 */
export function limitBodyTime(app: FastifyInstance, limitMs = bodyTimeMs): void {
  const timers = new WeakMap<FastifyRequest, NodeJS.Timeout>()
  const isInTime = async (request: FastifyRequest): Promise<void> => {
    clearTimeout(timers.get(request))
  }
  app.addHook('preParsing', async (request) => {
    const { 'content-length': length, 'transfer-encoding': encoding } = request.headers
    if (length === undefined && encoding === undefined) return
    const timer = setTimeout(() => request.raw.destroy(), limitMs)
    timers.set(request, timer.unref())
  })
  app.addHook('preValidation', isInTime)
  app.addHook('onResponse', isInTime)
}
