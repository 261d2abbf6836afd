import type { ClientBase } from 'pg'

import { toWire } from './type-parsers.ts'

/** Told of the text of every statement that goes to the database. */
export type StatementListener = (text: string) => void

export interface StatementCount extends Disposable {
  readonly count: number
  readonly texts: readonly string[]
}

/**
 * Counts what goes to the database until disposed, over the pool and the hot connection alike, `begin` and `commit`
 * included. For tests that prove how little something costs.
 */
export function countStatements(handle: { readonly listeners: Set<StatementListener> }): StatementCount {
  const texts: string[] = []
  const listener = (text: string): void => void texts.push(text)
  handle.listeners.add(listener)
  return {
    get count() {
      return texts.length
    },
    texts,
    [Symbol.dispose]() {
      handle.listeners.delete(listener)
    },
  }
}

type Query = (config: unknown, values?: unknown, ...rest: readonly unknown[]) => unknown

/** Lets every statement of a connection pass the listeners, and Temporal values be written as PostgreSQL reads them. */
export function instrument(client: ClientBase, listeners: ReadonlySet<StatementListener>): void {
  const query = client.query.bind(client) as Query
  const instrumented: Query = (config, values, ...rest) => {
    for (const listener of listeners) listener(textOf(config))
    return query(withWireValues(config), Array.isArray(values) ? values.map(toWire) : values, ...rest)
  }
  client.query = instrumented as typeof client.query
}

function textOf(config: unknown): string {
  if (typeof config === 'string') return config
  const { text } = config as { readonly text?: unknown }
  return typeof text === 'string' ? text : ''
}

function withWireValues(config: unknown): unknown {
  if (typeof config !== 'object' || config === null || 'submit' in config) return config
  const { values } = config as { readonly values?: unknown }
  return Array.isArray(values) ? { ...config, values: values.map(toWire) } : config
}
