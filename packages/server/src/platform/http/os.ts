import { api } from '@bascule/contract/api.ts'
import { implement } from '@orpc/server'
import type { Logger } from 'pino'
import type { Db } from '#/platform/db/database.ts'
import type { Services } from '#/platform/feature.ts'
import type { Actor } from '#/platform/lib/actor.ts'

/** What every use case needs: where, who and when. A service takes this and its input, nothing else. */
export interface Call {
  readonly db: Db
  readonly actor: Actor
  readonly now: Temporal.Instant
}

/** What the handler of a procedure gets as `context`. It is a `Call`, so it goes to services as it is. */
export interface CallContext extends Call {
  readonly services: Services
  readonly log: Logger
}

/** The contract to be implemented: `export const siteRoutes = os.estate.site.router({ … })`. */
export const os = implement(api).$context<CallContext>()
