import { types } from 'pg'
import type { CustomTypesConfig } from 'pg'

/** `infinity` is a timer that is not due; the ends of what an Instant can say stand for it, both ways. */
export const farFuture = Temporal.Instant.fromEpochMilliseconds(8.64e15)
const farPast = Temporal.Instant.fromEpochMilliseconds(-8.64e15)

type Parse = (text: string) => unknown

/** The declared type knows only the numbers of built-in types, and there are many more. */
const parserOf = types.getTypeParser as (oid: number, format?: 'text' | 'binary') => Parse

const parsers: ReadonlyMap<number, Parse> = new Map<number, Parse>([
  [types.builtins.INT8, parseInt8],
  [types.builtins.TIMESTAMPTZ, parseInstant],
  [types.builtins.TIMESTAMP, (text) => Temporal.PlainDateTime.from(text)],
  [types.builtins.DATE, (text) => Temporal.PlainDate.from(text)],
  [1016, arrayOf(parseInt8)],
  [1185, arrayOf(parseInstant)],
  [1182, arrayOf((text) => Temporal.PlainDate.from(text))],
])

/** For `types` of a connection: int8 as number, instants and dates as Temporal, everything else as `pg` does it. */
export const typeParsers: CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    const parser = format === 'binary' ? undefined : parsers.get(oid)
    return parser ?? parserOf(oid, format)
  },
}

/** What `pg` would send as JSON in quotes becomes the text that PostgreSQL reads. */
export function toWire(value: unknown): unknown {
  if (value instanceof Temporal.Instant) return writeInstant(value)
  if (value instanceof Temporal.PlainDate || value instanceof Temporal.PlainDateTime) return value.toString()
  return Array.isArray(value) ? value.map(toWire) : value
}

function writeInstant(instant: Temporal.Instant): string {
  if (instant.equals(farFuture)) return 'infinity'
  return instant.equals(farPast) ? '-infinity' : instant.toString()
}

function parseInstant(text: string): Temporal.Instant {
  if (text === 'infinity') return farFuture
  return text === '-infinity' ? farPast : Temporal.Instant.from(text)
}

/** A number that is not exact would be a wrong identity, so it is an error and never a rounded value. */
function parseInt8(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`int8 ${text} does not fit into a JavaScript number`)
  return value
}

function arrayOf(parse: Parse): Parse {
  const parseTexts = parserOf(1009)
  return (text) => deepMap(parseTexts(text) as readonly unknown[], parse)
}

function deepMap(items: readonly unknown[], parse: Parse): readonly unknown[] {
  return items.map((item) => {
    if (Array.isArray(item)) return deepMap(item, parse)
    return typeof item === 'string' ? parse(item) : item
  })
}
