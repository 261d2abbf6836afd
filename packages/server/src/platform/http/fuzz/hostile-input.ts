import * as fc from 'fast-check'
import * as z from 'zod'

/** A JSON Schema as far as inputs are made from it. */
interface Shape {
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly Shape[]
  readonly oneOf?: readonly Shape[]
  readonly properties?: Readonly<Record<string, Shape>>
  readonly required?: readonly string[]
  readonly items?: Shape
  readonly minimum?: number
  readonly maximum?: number
  readonly format?: string
  readonly pattern?: string
}

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** Stands for something that exists; the fuzzer puts a real id, code or name of the running server in its place. */
export const knownMark = '@@known:'

const huge = 'x'.repeat(300_000)
const deep = JSON.parse(`${'['.repeat(500)}${']'.repeat(500)}`) as Json

/** What breaks programs: wrong types, the ends of numbers, texts that no database takes, depth and size. */
const hostileValues: readonly Json[] = [
  null,
  true,
  '',
  ' ',
  '\0',
  'a\0b',
  '\uD800',
  '\uDFFF\uD800',
  '\u202E\u0000\uFFFF',
  'é'.normalize('NFD'),
  "'; drop table site; --",
  '%00%ff',
  '../../etc/passwd',
  '-1',
  '1e400',
  '9'.repeat(400),
  huge,
  0,
  -1,
  0.1,
  1e308,
  2 ** 31,
  2 ** 53,
  -(2 ** 63),
  [],
  {},
  deep,
  Array.from({ length: 5000 }, () => 'a'),
  { __proto__: null, constructor: { prototype: { polluted: true } } },
  JSON.parse('{"__proto__": {"polluted": true}}') as Json,
  '0000-00-00T00:00:00Z',
  '+275760-09-13T00:00:00.001Z',
  '9999-12-31T23:59:59.999999999+23:59',
  'REL-999999999',
  '00000000-0000-0000-0000-000000000000',
  'f'.repeat(64),
  '(((((((((((((((((((((((((((((((((((',
  'os:linux or (site:',
  '-'.repeat(1900),
  `name:${'*'.repeat(500)}`,
  'sample:10%..5%@',
  'free<99999999999999999999999999TB',
]

const hostile: fc.Arbitrary<Json> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...hostileValues) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json> },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
)

/** Something that fits the field, mostly; a field of no known name gets anything. */
function known(field: string): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom(field, field, ''), fc.nat({ max: 999 }))
    .map(([name, at]) => `${knownMark}${name}:${at}`)
}

/** Inputs of a schema: mostly right in form, some with one thing that is wrong, some nothing but wrong. */
export function inputsOf(schema: z.ZodType): fc.Arbitrary<Json> {
  // A choice within a choice is now and then undefined in samples of fast-check, which is nothing that JSON can say.
  const orNull = (value: Json | undefined): Json => value ?? null
  const shape = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Shape
  const right = valuesOf(shape)
  const oneWrong = fc
    .tuple(right, fc.infiniteStream(fc.nat()), hostile)
    .map(([value, path, bad]) => spoil(value, path, orNull(bad)))
  return fc
    .oneof({ weight: 3, arbitrary: right }, { weight: 5, arbitrary: oneWrong }, { weight: 1, arbitrary: hostile })
    .map(orNull)
}

function valuesOf(shape: Shape, field = ''): fc.Arbitrary<Json> {
  const choices = shape.anyOf ?? shape.oneOf
  if (choices !== undefined) return fc.oneof(...choices.map((choice) => valuesOf(choice, field)))
  if (shape.const !== undefined) return fc.constant(shape.const as Json)
  if (shape.enum !== undefined) return fc.constantFrom(...(shape.enum as Json[]))
  switch (Array.isArray(shape.type) ? shape.type[0] : shape.type) {
    case 'object':
      return objectsOf(shape)
    case 'array':
      return fc.array(valuesOf(shape.items ?? {}, field), { maxLength: 3 })
    case 'string':
      return textsOf(shape, field)
    case 'integer':
      return fc.integer({ min: Math.max(shape.minimum ?? 0, -(2 ** 31)), max: Math.min(shape.maximum ?? 100, 2 ** 31) })
    case 'number':
      return fc.double({ noNaN: true, noDefaultInfinity: true })
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    default:
      return fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>
  }
}

function objectsOf({ properties = {}, required = [] }: Shape): fc.Arbitrary<Json> {
  const record = Object.fromEntries(Object.entries(properties).map(([name, shape]) => [name, valuesOf(shape, name)]))
  return fc.record(record, { requiredKeys: [...required] })
}

function textsOf({ format, pattern }: Shape, field: string): fc.Arbitrary<string> {
  const free = fc.string({ maxLength: 20 })
  if (format === 'date-time') return fc.constantFrom('2026-11-23T08:00:00Z', '2027-01-01T00:00:00+02:00')
  if (format === 'date') return fc.constantFrom('2026-11-23', '2028-02-29')
  if (format === 'uuid') return fc.oneof({ weight: 5, arbitrary: known(field) }, { weight: 1, arbitrary: fc.uuid() })
  const word = fc.constantFrom('a', 'leeds', 'sales', 'os:linux', 'Europe/London', 'why not', 'REL-1', 'administrator')
  if (pattern !== undefined) {
    return fc.oneof({ weight: 4, arbitrary: known(field) }, fc.stringMatching(new RegExp(pattern)), word)
  }
  return fc.oneof(word, known(field), free)
}

/** Puts something wrong at one place of a value; `path` says where by chance. */
function spoil(value: Json, path: Iterator<number>, bad: Json): Json {
  const at = (path.next().value as number | undefined) ?? 0
  if (Array.isArray(value) && value.length > 0) {
    const index = at % value.length
    return value.with(index, spoil(value[index] as Json, path, bad))
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return bad
  const entries = Object.entries(value)
  if (entries.length === 0) return bad
  const [name, inner] = entries[at % entries.length] ?? ['', null]
  return Object.fromEntries([...entries, [name, at % 3 === 0 ? bad : spoil(inner, path, bad)]])
}
