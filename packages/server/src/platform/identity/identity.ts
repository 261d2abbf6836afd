import type { IncomingHttpHeaders } from 'node:http'
import type { ClientConfig } from 'pg'
import type { Logger } from 'pino'
import type { Db } from '#/platform/db/database.ts'
import type { EventBus } from '#/platform/events/bus.ts'
import type { Actor } from '#/platform/lib/actor.ts'
import { createAuth } from './auth.ts'
import { findMachineActor, findPersonActor } from './grants.store.ts'
import { redeemSignInCode } from './one-time-code.service.ts'
import { hashOf } from './secret.ts'

export interface Identity extends AsyncDisposable {
  /** Who calls, by API key or session cookie; undefined for nobody we know. */
  whoIs(headers: IncomingHttpHeaders): Promise<Caller | undefined>
  /** What better-auth answers to one of its own routes. */
  handle(request: Request): Promise<Response>
}

export interface Caller {
  readonly actor: Actor
  /** A cookie comes along by itself, so writes with it must prove that they come from our own pages. */
  readonly by: 'cookie' | 'key'
}

export interface IdentityOptions {
  readonly db: Db
  readonly connection: ClientConfig
  readonly secret: string
  readonly isSecure: boolean
  readonly now: () => Temporal.Instant
  readonly log: Logger
  readonly bus: EventBus
}

/** How long a decision about a key is kept. A revocation is heard at once where events are, so this is only the worst case. */
const keyMemoryS = 30
const keysRemembered = 10_000

export const keyPrefix = 'bascule_'

export function createIdentity({ db, connection, secret, isSecure, now, log, bus }: IdentityOptions): Identity {
  const redeem = (code: string) => redeemSignInCode(db, now(), code)
  const held = createAuth({ connection, secret, isSecure, log, redeem })
  const keys = new Map<string, { actor: Actor | undefined; until: Temporal.Instant }>()
  const deafen = bus.listen((notice) => {
    if (notice === 'missed' || notice.some(({ entity }) => entity === 'api-key')) keys.clear()
  })

  async function machineOf(key: string): Promise<Actor | undefined> {
    const hash = hashOf(key)
    const at = hash.toString('hex')
    const known = keys.get(at)
    if (known !== undefined && Temporal.Instant.compare(now(), known.until) < 0) return known.actor
    const actor = await findMachineActor(db, hash, now())
    if (keys.size >= keysRemembered) keys.clear()
    keys.set(at, { actor, until: now().add({ seconds: keyMemoryS }) })
    return actor
  }

  async function personOf(cookie: string): Promise<Actor | undefined> {
    const found = await held.auth.api.getSession({ headers: new Headers({ cookie }) })
    if (found === null) return undefined
    const actor = await findPersonActor(db, found.user.id)
    return actor && { ...actor, sessionId: found.session.id }
  }

  return {
    async whoIs(headers) {
      const key = keyOf(headers)
      if (key !== undefined) {
        const actor = await machineOf(key)
        return actor && { actor, by: 'key' }
      }
      const actor = headers.cookie === undefined ? undefined : await personOf(headers.cookie)
      return actor && { actor, by: 'cookie' }
    },
    handle: (request) => held.auth.handler(request),
    async [Symbol.asyncDispose]() {
      deafen()
      await held[Symbol.asyncDispose]()
    },
  }
}

function keyOf(headers: IncomingHttpHeaders): string | undefined {
  const bearer = headers.authorization?.startsWith('Bearer ') ? headers.authorization.slice(7) : undefined
  const key = bearer ?? headers['x-api-key']
  return typeof key === 'string' && key.startsWith(keyPrefix) ? key : undefined
}
