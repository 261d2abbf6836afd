import type { Meter } from '@opentelemetry/api'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { Config } from './config.ts'
import type { DatabaseHandle } from './db/connect.ts'
import type { Db } from './db/database.ts'
import type { EventBus } from './events/bus.ts'
import type { Facts, FactSource } from './facts/facts.ts'
import type { Health } from './health/health.ts'
import type { Identity } from './identity/identity.ts'
import type { Reconciler, Worker } from './jobs/worker.ts'
import type { Sink } from './outbox/outbox.ts'
import type { SignerClient } from './signer-client.ts'

/**
 * What a running server has and features share. A feature that offers something to others adds a property to this
 * interface by declaration merging and sets it in its factory: `declare module '#/platform/feature.ts' { interface Services { fleet: Fleet } }`.
 */
export interface Services {
  readonly config: Config
  readonly db: Db
  /** For the hot connection and for who needs a connection of their own. */
  readonly database: DatabaseHandle
  readonly now: () => Temporal.Instant
  readonly log: Logger
  readonly worker: Worker
  readonly facts: Facts
  readonly bus: EventBus
  readonly health: Health
  readonly meter: Meter
  readonly identity: Identity
  /** Where letters of the outbox go, by name. */
  readonly sinks: Map<string, Sink>
  /** Changes with every restore from a backup. */
  readonly epoch: string
  readonly signer: SignerClient
  /** Under which address browsers and devices reach this server; known once it listens. */
  readonly publicUrl: () => string
}

/** What a feature adds to the server beside its part of the contract's router. All of it is optional. */
export interface Feature {
  /** Plain HTTP routes, for what is not in the contract: devices, blobs, streams. */
  routes?(app: FastifyInstance): void
  /** What is looked at over time, by kind; see `wake`. */
  readonly reconcilers?: Readonly<Record<string, Reconciler>>
  /** What other wings may ask about its things, by name. */
  readonly facts?: Readonly<Record<string, FactSource>>
  /** Runs after the migration and before the first request; what it returns is disposed when the server stops. */
  start?(): Promise<AsyncDisposable>
}

export type FeatureFactory = (services: Services) => Feature
