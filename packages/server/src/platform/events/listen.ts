import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { Client } from 'pg'
import type { ClientConfig } from 'pg'
import type { Logger } from 'pino'
import * as z from 'zod'
import type { EventBus } from './bus.ts'
import { eventChannel } from './publish.ts'

const Notification = z.array(z.tuple([z.string(), z.string(), z.string()]))

/**
 * Hears what any server of this database publishes and puts it on the bus. A lost connection is made again; what was
 * said in between cannot be known, so the bus then says `missed`.
 */
export async function listenForEvents(options: {
  connection: ClientConfig
  bus: EventBus
  log: Logger
}): Promise<AsyncDisposable> {
  const stopping = new AbortController()
  let client = await openListener(options)
  const keeping = keepListening()

  async function keepListening(): Promise<void> {
    while (!stopping.signal.aborted) {
      await ended(client, stopping.signal)
      if (stopping.signal.aborted) return
      options.log.warn('connection for events was lost; connecting again')
      const again = await reopen(options, stopping.signal)
      if (again === undefined) return
      client = again
      options.bus.emit('missed')
    }
  }

  return {
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await keeping
      await client.end()
    },
  }
}

async function openListener({ connection, bus, log }: Parameters<typeof listenForEvents>[0]): Promise<Client> {
  const client = new Client({ ...connection, application_name: 'bascule-events', keepAlive: true })
  // 'end' follows every 'error'; without a listener the process would die of a database restart.
  client.on('error', (cause) => {
    log.debug({ err: cause }, 'connection for events failed')
  })
  client.on('notification', ({ payload }) => {
    const parsed = Notification.safeParse(JSON.parse(payload ?? '[]'))
    if (parsed.success) bus.emit(parsed.data.map(([entity, id, version]) => ({ entity, id, version })))
  })
  await client.connect()
  await client.query(`listen ${eventChannel}`)
  return client
}

async function ended(client: Client, signal: AbortSignal): Promise<void> {
  // Aborting is how the end of the server comes through; there is nothing to do about it here.
  await once(client, 'end', { signal }).catch(() => undefined)
}

async function reopen(
  options: Parameters<typeof listenForEvents>[0],
  signal: AbortSignal,
): Promise<Client | undefined> {
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    try {
      return await openListener(options)
    } catch (cause) {
      options.log.debug({ err: cause }, 'events still cannot be heard')
      await pause(Math.min(100 * 2 ** attempt, 5000), undefined, { signal }).catch(() => undefined)
    }
  }
  return undefined
}
