import { api } from '@bascule/contract/api.ts'
import { walkProcedures } from '@bascule/contract/lib/walk.ts'
import { OpenAPIGenerator } from '@orpc/openapi'
import { ZodToJsonSchemaConverter } from '@orpc/zod/zod4'
import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import { readServerVersion } from '#/platform/db/migrate.ts'
import { documentationPolicy } from './security.ts'

/** `/api/openapi.json` (OpenAPI 3.1, out of the contract) and `/api/docs`, a page to read and try it. Both are public. */
export function registerOpenApi(app: FastifyInstance): void {
  let document: Promise<object> | undefined
  let page: Promise<FastifyInstance> | undefined
  app.get('/api/openapi.json', async (_request, reply) => {
    document ??= describeApi()
    return await reply.header('content-type', 'application/json').send(JSON.stringify(await document))
  })
  // The page and its script (4 MB) are loaded by who first looks at them, not by every start of a server.
  const serve = async (path: string) => {
    page ??= preparePage()
    return await (await page).inject({ method: 'GET', url: path })
  }
  app.get('/api/docs', async (_request, reply) => {
    const { body } = await serve('/api/docs/')
    return await reply
      .header('content-security-policy', documentationPolicy)
      .type('text/html; charset=utf-8')
      .send(body.replace('src="js/scalar.js"', 'src="/api/docs/js/scalar.js"'))
  })
  app.get('/api/docs/js/scalar.js', async (_request, reply) => {
    const { rawPayload } = await serve('/api/docs/js/scalar.js')
    return await reply
      .header('cache-control', 'public, max-age=86400')
      .type('text/javascript; charset=utf-8')
      .send(rawPayload)
  })
}

async function describeApi(): Promise<object> {
  const generator = new OpenAPIGenerator({ schemaConverters: [new ZodToJsonSchemaConverter()] })
  const document = await generator.generate(api, {
    info: { title: 'Bascule', version: readServerVersion(), license: { name: 'Apache-2.0' } },
    servers: [{ url: '/api' }],
    security: [{ session: [] }, { apiKey: [] }],
    components: {
      securitySchemes: {
        session: { type: 'apiKey', in: 'cookie', name: 'bascule.session_token' },
        apiKey: { type: 'http', scheme: 'bearer' },
      },
    },
  })
  for (const { meta, route } of walkProcedures(api)) {
    const operation: unknown = document.paths?.[route.path ?? '']?.[(route.method ?? 'POST').toLowerCase() as 'get']
    if (typeof operation !== 'object' || operation === null) continue
    Object.assign(operation, { 'x-permission': meta.permission }, meta.permission === 'public' ? { security: [] } : {})
  }
  return document
}

/** The page's own plugin in a server that never listens. Everything that would leave for another host is off. */
async function preparePage(): Promise<FastifyInstance> {
  const { default: scalar } = await import('@scalar/fastify-api-reference')
  const server = Fastify()
  await server.register(scalar, {
    routePrefix: '/api/docs',
    configuration: {
      url: '/api/openapi.json',
      title: 'Bascule API',
      pageTitle: 'Bascule API',
      withDefaultFonts: false,
      telemetry: false,
      hideClientButton: true,
      showDeveloperTools: 'never',
      agent: { disabled: true },
      mcp: { disabled: true },
      proxyUrl: '',
    },
  })
  await server.ready()
  return server
}
