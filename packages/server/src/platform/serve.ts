import { access, constants, mkdir } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { sql } from 'kysely'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { createApp, isSecure } from '#/app.ts'
import type { Config } from './config.ts'
import type { DatabaseHandle } from './db/connect.ts'
import type { Db } from './db/database.ts'
import { createEventBus } from './events/bus.ts'
import { listenForEvents } from './events/listen.ts'
import { createFacts } from './facts/facts.ts'
import type { FeatureFactory, Services } from './feature.ts'
import { createHealth } from './health/health.ts'
import type { Health } from './health/health.ts'
import { builtWeb } from './http/built-web.ts'
import { createIdentity } from './identity/identity.ts'
import { ensureCookieSecret } from './identity/secret.ts'
import { createWorker } from './jobs/worker.ts'
import { createMetrics } from './metrics/metrics.ts'
import { connectSigner } from './signer-client.ts'
import './identity/identity.tables.ts'

export interface ServeOptions {
  readonly config: Config
  readonly database: DatabaseHandle
  readonly log: Logger
  readonly features: readonly FeatureFactory[]
  /** Where the signer listens; it need not be there yet. */
  readonly signerSocket: string
  readonly now?: () => Temporal.Instant
}

/** A server that does everything but listen. */
export interface PreparedServer extends AsyncDisposable {
  readonly app: FastifyInstance
  readonly services: Services
  /** Opens the port, begins to reconcile, and answers the address. */
  listen(): Promise<string>
}

/**
 * Puts the parts together over a migrated database, from the ground up. Disposing takes them down in reverse: first no
 * new work, then what is under way is finished, then the parts below it close.
 */
export async function prepareServer(options: ServeOptions): Promise<PreparedServer> {
  const { config, database, log, now = Temporal.Now.instant } = options
  await using held = new AsyncDisposableStack()
  const { db, connection } = database
  const metrics = held.use(await createMetrics({ host: config.host, port: config.metricsPort }))
  const bus = createEventBus((cause) => {
    log.error({ err: cause }, 'a listener to events failed')
  })
  held.use(await listenForEvents({ connection, bus, log }))
  const secret = config.secret ?? ensureCookieSecret(config.dataFolder)
  const identity = held.use(createIdentity({ db, connection, secret, isSecure: isSecure({ config }), now, log, bus }))
  const worker = createWorker({ db, now, log })
  // Whatever changed may have made something due in the same transaction.
  held.defer(bus.listen(() => worker.nudge()))
  const address = { url: config.publicUrl ?? `http://${config.host}:${config.port}` }
  const own = {
    config,
    db,
    database,
    now,
    log,
    worker,
    facts: createFacts(),
    bus,
    health: createHealth(),
    meter: metrics.meter,
    identity,
    sinks: new Map(),
    epoch: await readEpoch(db),
    signer: held.use(connectSigner(options.signerSocket)),
    publicUrl: () => address.url,
  }
  // What features offer to each other is not there yet: their factories add it, just below and before anybody asks.
  const services = own as typeof own & Services
  await registerBasicChecks(services.health, services)
  const features = options.features.map((create) => create(services))
  for (const feature of features) {
    for (const [kind, run] of Object.entries(feature.reconcilers ?? {})) worker.registerReconciler(kind, run)
    for (const [name, source] of Object.entries(feature.facts ?? {})) services.facts.factSource(name, source)
    const started = await feature.start?.()
    if (started !== undefined) held.use(started)
  }
  held.use(worker)
  const app = createApp({ services, features, metrics, webFolder: config.webFolder ?? builtWeb })
  held.defer(async () => {
    services.health.drain()
    await closeConnections(app)
  })
  await app.ready()
  const all = held.move()
  return {
    app,
    services,
    async listen() {
      await app.listen({ host: config.host, port: config.port })
      address.url = config.publicUrl ?? listeningUrl(app, config)
      worker.start()
      return address.url
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

/**
 * Closes the port and lets what is under way finish. A connection whose answer ends a moment after the close counts as busy
 * then and as idle later, so idle ones are looked for until all are gone; otherwise one of them would keep the server for over a minute.
 */
async function closeConnections(app: FastifyInstance): Promise<void> {
  const again = setInterval(() => app.server.closeIdleConnections(), 100)
  try {
    await app.close()
  } finally {
    clearInterval(again)
  }
}

async function registerBasicChecks(
  health: Health,
  { db, config, signer }: Pick<Services, 'db' | 'config' | 'signer'>,
): Promise<void> {
  const blobs = join(config.dataFolder, 'blobs')
  await mkdir(blobs, { recursive: true, mode: 0o700 })
  health.register('database', async () => {
    await sql`select 1`.execute(db)
  })
  health.register('blobs', async () => {
    await access(blobs, constants.W_OK)
  })
  health.register('signer', async () => {
    await signer.status()
  })
}

async function readEpoch(db: Db): Promise<string> {
  const { epoch } = await db.selectFrom('server_meta').select('epoch').executeTakeFirstOrThrow()
  return epoch
}

function listeningUrl(app: FastifyInstance, config: Config): string {
  const { port } = app.server.address() as AddressInfo
  const host = ['0.0.0.0', '::', '127.0.0.1'].includes(config.host) ? 'localhost' : config.host
  return `${config.tlsCert === undefined ? 'http' : 'https'}://${host}:${port}`
}
