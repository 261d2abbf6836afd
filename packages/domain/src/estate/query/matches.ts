import { lotBound, stableHash32 } from '#/lib/stable-hash.ts'
import { unreachable } from '#/lib/result.ts'
import { fold } from './fold.ts'
import { numberKey, orderKey, versionKey } from './order-key.ts'
import { parseQuantity } from './quantity.ts'
import type { CompareOp, FactValue, Query, QueryFacts } from './query.ts'

/** Whether these facts answer the query. A fact that is missing answers no condition; `-` turns that into a yes. */
export function matches(query: Query, facts: QueryFacts): boolean {
  switch (query.kind) {
    case 'all':
      return true
    case 'and':
      return query.of.every((part) => matches(part, facts))
    case 'or':
      return query.of.some((part) => matches(part, facts))
    case 'not':
      return !matches(query.of, facts)
    case 'is':
      return valuesOf(facts, query.key).some((value) => isEqual(value, query.value))
    case 'like':
      return valuesOf(facts, query.key).some((value) => typeof value !== 'number' && isLike(String(value), query.parts))
    case 'compare':
      return valuesOf(facts, query.key).some((value) => isOrdered(value, query.op, query.value))
    case 'has':
      return valuesOf(facts, query.key).length > 0
    case 'word':
      return valuesOf(facts, 'name').some((name) => fold(String(name)).includes(fold(query.text)))
    case 'sample':
      return valuesOf(facts, 'id').some((id) => isDrawn(query, String(id)))
    default:
      return unreachable(query)
  }
}

function valuesOf(facts: QueryFacts, key: string): readonly FactValue[] {
  const value = Object.hasOwn(facts, key) ? facts[key] : undefined
  if (value === undefined) return []
  return typeof value === 'object' ? value : [value]
}

function isEqual(value: FactValue, wanted: string): boolean {
  if (typeof value === 'number') return numberKey(value) === quantityKey(wanted)
  return fold(String(value)) === fold(wanted)
}

/** The pieces in this order, the first at the beginning and the last at the end. */
export function isLike(text: string, parts: readonly string[]): boolean {
  const folded = fold(text)
  const [first = '', ...others] = parts.map((part) => fold(part))
  const last = others.pop()
  if (last === undefined) return folded === first
  if (!folded.startsWith(first) || folded.length < first.length + last.length) return false
  let at = first.length
  for (const part of others) {
    const found = folded.indexOf(part, at)
    if (found === -1) return false
    at = found + part.length
  }
  return folded.endsWith(last) && at <= folded.length - last.length
}

function isOrdered(value: FactValue, op: CompareOp, wanted: string): boolean {
  const key = orderKey(value)
  const bound = typeof value === 'number' ? quantityKey(wanted) : versionKey(wanted)
  if (key === undefined || bound === undefined) return false
  if (op === '<') return key < bound
  if (op === '<=') return key <= bound
  return op === '>' ? key > bound : key >= bound
}

/** The order key of a number as a person writes it, with its unit. */
export function quantityKey(text: string): string | undefined {
  const quantity = parseQuantity(text)
  return quantity === undefined ? undefined : numberKey(quantity)
}

function isDrawn({ fromPpm, toPpm, seed }: Extract<Query, { kind: 'sample' }>, id: string): boolean {
  const lot = stableHash32(seed, id)
  return lot >= lotBound(fromPpm) && lot < lotBound(toPpm)
}
