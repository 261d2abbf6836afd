import { fold, storable } from './fold.ts'
import { orderKey } from './order-key.ts'
import { attributeKeys, type FactValue } from './query.ts'

/** Facts as the database keeps them, with what makes them quick to ask for. */
export interface IndexedFacts {
  readonly facts: Readonly<Record<string, FactValue>>
  /** `key` for every fact, and `key=value` in folded form for texts and truth values. */
  readonly terms: readonly string[]
  readonly orderKeys: Readonly<Record<string, string>>
}

/**
 * Prepares what a device reported: drops what only the server may say, makes texts storable, and derives terms and order
 * keys with the functions that `matches` uses, so that a query in SQL answers as it does in memory.
 */
export function indexFacts(reported: Readonly<Record<string, FactValue>>): IndexedFacts {
  const facts: Record<string, FactValue> = {}
  const terms: string[] = []
  const orderKeys: Record<string, string> = {}
  for (const [key, value] of Object.entries(reported)) {
    if (reserved.has(key)) continue
    const kept = typeof value === 'string' ? storable(value) : value
    facts[key] = kept
    terms.push(key)
    if (typeof kept !== 'number') terms.push(termOf(key, String(kept)))
    const order = orderKey(kept)
    if (order !== undefined) orderKeys[key] = order
  }
  return { facts, terms, orderKeys }
}

/** The term of a fact with this value, whatever the case of its letters. */
export function termOf(key: string, value: string): string {
  return `${key}=${fold(value)}`
}

const reserved: ReadonlySet<string> = new Set(attributeKeys)
