import { Client } from 'pg'
import type { ClientConfig, QueryResultRow } from 'pg'

import { instrument } from './statements.ts'
import type { StatementListener } from './statements.ts'
import { typeParsers } from './type-parsers.ts'

/** A statement that PostgreSQL plans once per connection. The same name always means the same text. */
export interface NamedQuery {
  readonly name: string
  readonly text: string
  readonly values: readonly unknown[]
}

export interface HotConnection extends AsyncDisposable {
  /** Sends without waiting for the answers before it. Each statement is its own transaction. */
  query<Row extends QueryResultRow>(query: NamedQuery): Promise<Row[]>
}

/**
 * One pipelined connection for the paths that thousands of devices take: several times cheaper per statement than the
 * pool. A lost connection fails what is under way and is opened again by the next statement.
 */
export function openHotConnection(config: ClientConfig, listeners: ReadonlySet<StatementListener>): HotConnection {
  let current: Promise<Client> | undefined
  const forget = (): void => void (current = undefined)
  return {
    async query<Row extends QueryResultRow>({ name, text, values }: NamedQuery) {
      current ??= open(config, listeners, forget)
      const client = await current
      const result = await client.query<Row>({ name, text, values: [...values] })
      return result.rows
    },
    async [Symbol.asyncDispose]() {
      const client = await current?.catch(() => undefined)
      await client?.end()
    },
  }
}

async function open(
  config: ClientConfig,
  listeners: ReadonlySet<StatementListener>,
  forget: () => void,
): Promise<Client> {
  const pipelined = { ...config, types: typeParsers, application_name: 'bascule-hot', pipeline: true }
  const client = new Client(pipelined)
  // Without a listener the loss of an idle connection would end the process; who queries next hears of it.
  client.on('error', forget)
  client.on('end', forget)
  try {
    await client.connect()
  } catch (error) {
    forget()
    throw new Error(`Connecting to PostgreSQL: ${String(error)}`, { cause: error })
  }
  instrument(client, listeners)
  return client
}
