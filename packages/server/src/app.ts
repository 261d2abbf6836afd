import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Fastify, { LogController } from 'fastify'
import type { FastifyInstance } from 'fastify'
import { registerEventStream } from './platform/events/stream.routes.ts'
import type { Feature, Services } from './platform/feature.ts'
import { registerApi } from './platform/http/api.ts'
import { registerAuthRoutes } from './platform/http/auth.routes.ts'
import { limitBodyTime } from './platform/http/body-time.ts'
import { sendError } from './platform/http/errors.ts'
import { registerHealthRoutes } from './platform/http/health.routes.ts'
import { registerOpenApi } from './platform/http/openapi.ts'
import { addSecurityHeaders } from './platform/http/security.ts'
import { isForSigning } from './platform/http/sign-origin.ts'
import { registerSignPage } from './platform/http/sign-page.ts'
import { registerWebFiles, signPageFolder } from './platform/http/web-files.ts'
import type { Metrics } from './platform/metrics/metrics.ts'

export interface AppOptions {
  readonly services: Services
  readonly features: readonly Feature[]
  readonly metrics: Metrics
  readonly webFolder: string
}

/** Everything that answers over HTTP. It does not listen yet, so a test can ask it directly. */
export function createApp({ services, features, metrics, webFolder }: AppOptions): FastifyInstance {
  const { config } = services
  const app = Fastify({
    // Fastify's types know the logger by its own name; it is pino all the same.
    loggerInstance: services.log as never,
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: config.trustedProxies ?? false,
    requestIdHeader: false,
    bodyLimit: 1_048_576,
    keepAliveTimeout: 75_000,
    forceCloseConnections: 'idle',
    // An address that no route can be looked for with never gets to the error handler.
    frameworkErrors: sendError,
    ...tlsOptions(config.tlsCert, config.tlsKey),
  }) as unknown as FastifyInstance
  app.setErrorHandler(sendError)
  addSecurityHeaders(app, { isSecure: isSecure(services), isForSigning: (request) => isForSigning(config, request) })
  // Before every route: what comes by the name of the signing page never gets to one of them.
  registerSignPage(app, services, join(webFolder, signPageFolder))
  limitBodyTime(app)
  metrics.observeRequests(app)
  registerHealthRoutes(app, services.health)
  registerAuthRoutes(app, services)
  registerOpenApi(app)
  registerEventStream(app, services, isSecure(services))
  registerApi(app, services)
  for (const feature of features) feature.routes?.(app)
  registerWebFiles(app, webFolder)
  return app
}

/** Whether browsers come by https, to this server itself or to the proxy before it. */
export function isSecure({ config }: Pick<Services, 'config'>): boolean {
  return config.tlsCert !== undefined || config.publicUrl?.startsWith('https:') === true
}

function tlsOptions(cert: string | undefined, key: string | undefined): object {
  return cert === undefined || key === undefined ? {} : { https: { cert: readFileSync(cert), key: readFileSync(key) } }
}
