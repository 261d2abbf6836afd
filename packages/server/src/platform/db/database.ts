import type { Generated, Kysely } from 'kysely'

/**
 * Every table there is, by its name. A feature adds its own beside its store, so that only who imports the feature
 * knows them: `declare module '#/platform/db/database.ts' { interface Database { device: DeviceTable } }`.
 */
export interface Database {
  migration: MigrationTable
}

interface MigrationTable {
  name: string
  sha256: string
  needs_server: string
  applied_by: string
  applied_at: Generated<Temporal.Instant>
}

/** A pool or a transaction: stores do not care which. */
export type Db = Kysely<Database>
