import type { FastifyInstance } from 'fastify'
import type { Health } from '#/platform/health/health.ts'

/** `/livez`: the process answers. `/readyz`: it can do its work; 503 with the reasons when it cannot. */
export function registerHealthRoutes(app: FastifyInstance, health: Health): void {
  app.get('/livez', async (_request, reply) => await reply.type('text/plain').send('ok'))
  app.get('/readyz', async (_request, reply) => {
    const report = await health.report()
    return await reply.status(report.ready ? 200 : 503).send(report)
  })
}
