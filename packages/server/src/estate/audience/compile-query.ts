import { lotBound } from '@bascule/domain/lib/stable-hash.ts'
import { unreachable } from '@bascule/domain/lib/result.ts'
import { deviceStates } from '@bascule/domain/estate/device/device-state.ts'
import { fold } from '@bascule/domain/estate/query/fold.ts'
import { termOf } from '@bascule/domain/estate/query/index-facts.ts'
import { isLike, quantityKey } from '@bascule/domain/estate/query/matches.ts'
import { versionKey } from '@bascule/domain/estate/query/order-key.ts'
import type { AttributeKey, CompareOp, Condition, Query } from '@bascule/domain/estate/query/query.ts'
import { isAttributeKey } from '@bascule/domain/estate/query/query.ts'
import { type RawBuilder, sql } from 'kysely'
import { orgUnitsWhere, type Places, sitesIn, sitesWhere } from './places.ts'

type Where = RawBuilder<boolean>

/**
 * The query as a condition on the table `device`, which must be called by that name. Everything a person wrote goes as a
 * parameter. A condition that is null counts as not met, as a missing fact does in `matches`.
 */
export function compileQuery(query: Query, places: Places): Where {
  switch (query.kind) {
    case 'all':
      return sql`true`
    case 'and':
      return sql`(${sql.join(
        query.of.map((part) => compileQuery(part, places)),
        sql` and `,
      )})`
    case 'or':
      return sql`(${sql.join(
        query.of.map((part) => compileQuery(part, places)),
        sql` or `,
      )})`
    case 'not':
      return sql`(not coalesce(${compileQuery(query.of, places)}, false))`
    case 'word':
    case 'sample':
    case 'compare':
    case 'has':
    case 'is':
    case 'like':
      return compileCondition(query, places)
    default:
      return unreachable(query)
  }
}

function compileCondition(condition: Condition, places: Places): Where {
  switch (condition.kind) {
    case 'word':
      return sql`(lower(device.name) like ${likePattern(['', condition.text, ''])})`
    case 'sample':
      return sampleWhere(condition)
    case 'compare':
      return compareWhere(condition.key, condition.op, condition.value)
    case 'has':
      return isAttributeKey(condition.key) ? hasAttribute(condition.key, places) : hasFact(condition.key)
    case 'is':
    case 'like':
      return isAttributeKey(condition.key)
        ? attributeWhere(condition.key, partsOf(condition), places)
        : factWhere(condition.key, partsOf(condition))
    default:
      return unreachable(condition)
  }
}

/** One piece is a whole value, several are the pieces between wildcards. */
function partsOf(condition: Extract<Condition, { kind: 'is' | 'like' }>): readonly string[] {
  return condition.kind === 'is' ? [condition.value] : condition.parts
}

function attributeWhere(key: AttributeKey, parts: readonly string[], places: Places): Where {
  const passes = (word: string): boolean => isLike(word, parts)
  switch (key) {
    case 'id':
      return textWhere(sql`device.key_id`, parts)
    case 'name':
      return textWhere(sql`lower(device.name)`, parts)
    case 'state':
      return stateWhere(passes, places)
    case 'site':
      return sql`(device.site_id = any(${sitesWhere(places, passes)}::uuid[]))`
    case 'country':
    case 'region':
      return sql`(device.site_id = any(${sitesIn(places, key, passes)}::uuid[]))`
    case 'org':
      return sql`(device.org_unit_id = any(${orgUnitsWhere(places, passes)}::uuid[]))`
    case 'role':
      return wordWhere(sql`device.roles`, parts)
    case 'tag':
      return wordWhere(sql`device.tags`, parts)
    default:
      return unreachable(key)
  }
}

/** Silent is a state that only memory knows; where nobody is asked, nobody is silent. */
function stateWhere(passes: (word: string) => boolean, places: Places): Where {
  const inState: Where = sql`device.state = any(${deviceStates.filter(passes)}::text[])`
  const silent = passes('silent') ? (places.silentIds?.() ?? []) : []
  return silent.length === 0 ? sql`(${inState})` : sql`(${inState} or device.id = any(${silent}::int[]))`
}

function textWhere(column: RawBuilder<unknown>, parts: readonly string[]): Where {
  return parts.length === 1 ? sql`(${column} = ${fold(parts[0] ?? '')})` : sql`(${column} like ${likePattern(parts)})`
}

/** Roles and tags are kept in lower case, so the index over them answers. */
function wordWhere(column: RawBuilder<unknown>, parts: readonly string[]): Where {
  return parts.length === 1
    ? sql`(${column} @> array[${fold(parts[0] ?? '')}]::text[])`
    : sql`(exists (select from unnest(${column}) word where word like ${likePattern(parts)}))`
}

function hasAttribute(key: AttributeKey, places: Places): Where {
  if (key === 'site') return sql`(device.site_id is not null)`
  if (key === 'country' || key === 'region')
    return sql`(device.site_id = any(${sitesIn(places, key, () => true)}::uuid[]))`
  if (key === 'org') return sql`(device.org_unit_id is not null)`
  if (key === 'role') return sql`(cardinality(device.roles) > 0)`
  return key === 'tag' ? sql`(cardinality(device.tags) > 0)` : sql`true`
}

function hasFact(key: string): Where {
  return sql`(device.terms @> array[${key}]::text[])`
}

function factWhere(key: string, parts: readonly string[]): Where {
  if (parts.length > 1) {
    const pattern = `${likePattern([`${key}=`])}${likePattern(parts)}`
    return sql`(${hasFact(key)} and exists (select from unnest(device.terms) term where term like ${pattern}))`
  }
  const value = parts[0] ?? ''
  const same: Where = sql`device.terms @> array[${termOf(key, value)}]::text[]`
  const number = quantityKey(value)
  if (number === undefined) return sql`(${same})`
  return sql`(${hasFact(key)} and (${same} or ${orderOf(key)} = ${number}))`
}

/** Numbers and texts lie in two ranges of keys that never meet; the value is a bound in each of them that it fits. */
function compareWhere(key: string, op: CompareOp, value: string): Where {
  const number = quantityKey(value)
  const asText = rangeWhere(key, op, versionKey(value), 't', 'u')
  return number === undefined ? asText : sql`(${asText} or ${rangeWhere(key, op, number, 'n', 'o')})`
}

function rangeWhere(key: string, op: CompareOp, bound: string, from: string, to: string): Where {
  const order = orderOf(key)
  if (op === '<') return sql`(${order} >= ${from} and ${order} < ${bound})`
  if (op === '<=') return sql`(${order} >= ${from} and ${order} <= ${bound})`
  if (op === '>') return sql`(${order} > ${bound} and ${order} < ${to})`
  return sql`(${order} >= ${bound} and ${order} < ${to})`
}

function orderOf(key: string): RawBuilder<string> {
  return sql`coalesce(device.order_keys ->> ${key}::text, '') collate "C"`
}

/** The digest is compared as bytes: its first four decide, and a longer text is the larger one. */
function sampleWhere({ fromPpm, toPpm, seed }: Extract<Condition, { kind: 'sample' }>): Where {
  const lot = sql`sha256(${Buffer.from(`${seed}\n`)}::bytea || convert_to(device.key_id, 'UTF8'))`
  const from = sql`${lot} >= ${boundBytes(fromPpm)}::bytea`
  if (fromPpm === toPpm) return sql`false`
  return toPpm === 1_000_000 ? sql`(${from})` : sql`(${from} and ${lot} < ${boundBytes(toPpm)}::bytea)`
}

function boundBytes(ppm: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(lotBound(ppm))
  return bytes
}

function likePattern(parts: readonly string[]): string {
  return parts.map((part) => fold(part).replaceAll(/[\\%_]/g, String.raw`\$&`)).join('%')
}
