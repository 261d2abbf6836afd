import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { startRefusal } from '@bascule/postgres/refusal.ts'
import { Client } from 'pg'
import type { ClientConfig } from 'pg'
import type { Logger } from 'pino'

export interface HeldDatabase extends AsyncDisposable {
  /** Resolves when another server has taken the database while this one was cut off from it; it must not go on then. */
  readonly lost: Promise<string>
}

export interface HoldOptions {
  readonly connection: ClientConfig
  readonly log: Logger
  /** How long to wait for a server that just ends, or whose end the database has not noticed yet. */
  readonly patienceMs?: number
}

const againMs = 200
/** A machine that lost its power ends no connection; the database notices after 25 seconds and not after two hours. */
const noticeEnd = 'set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3'

/**
 * Makes this server the only one on its database until it is disposed, or throws a `database-in-use` refusal. What a
 * server remembers of its devices (the last number of each, who was told what) is in its memory alone: with a second one,
 * a request could be played back to the one that has not heard it. The lock ends with the connection, however that ends.
 */
export async function holdDatabase({ connection, log, patienceMs = 5000 }: HoldOptions): Promise<HeldDatabase> {
  const stopping = new AbortController()
  const lost = Promise.withResolvers<string>()
  let client = await takeWithin(connection, log, patienceMs)
  const keeping = keep()

  async function keep(): Promise<void> {
    while (!stopping.signal.aborted) {
      await once(client, 'end', { signal: stopping.signal }).catch(() => undefined)
      if (stopping.signal.aborted) return
      log.warn('the connection that holds the database was lost; taking the database again')
      const again = await takeAgain()
      if (again === 'in use') {
        lost.resolve('the database is held by another server, or still by the session that was cut off')
        return
      }
      if (again === undefined) return
      client = again
    }
  }

  /** A database that restarts lets nobody in, so there is no hurry; the first one that gets in holds it. */
  async function takeAgain(): Promise<Client | 'in use' | undefined> {
    while (!stopping.signal.aborted) {
      const taken = await take(connection, log).catch((cause: unknown) => {
        log.debug({ err: cause }, 'the database still cannot be taken')
      })
      if (taken !== undefined) return taken
      await pause(againMs, undefined, { signal: stopping.signal }).catch(() => undefined)
    }
    return undefined
  }

  return {
    lost: lost.promise,
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await keeping
      await client.end()
    },
  }
}

async function takeWithin(connection: ClientConfig, log: Logger, patienceMs: number): Promise<Client> {
  const giveUpAtMs = performance.now() + patienceMs
  for (;;) {
    const taken = await take(connection, log)
    if (taken !== 'in use') return taken
    if (performance.now() >= giveUpAtMs) throw inUse()
    await pause(againMs)
  }
}

function inUse(): Error {
  return startRefusal(
    'database-in-use',
    'Another Bascule server works on this database, and there may be only one. Stop that one first, or give this one a database of its own (BASCULE_DATABASE_URL).',
  )
}

async function take(connection: ClientConfig, log: Logger): Promise<Client | 'in use'> {
  const client = new Client({ ...connection, application_name: 'bascule-server', keepAlive: true })
  // 'end' follows every 'error'; without a listener the process would die of a database restart.
  client.on('error', (cause) => {
    log.debug({ err: cause }, 'the connection that holds the database failed')
  })
  await client.connect()
  await client.query(noticeEnd)
  const { rows } = await client.query<{ taken: boolean }>(
    "select pg_try_advisory_lock(hashtextextended('bascule server', 0)) as taken",
  )
  if (rows[0]?.taken === true) return client
  await client.end()
  return 'in use'
}
