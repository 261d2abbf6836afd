import { type Result, ok, refuse } from '@bascule/domain/lib/result.ts'

/**
 * Canonical JSON as TUF and OLPC write it: the bytes that keys sign. One value has exactly one text, and two different
 * values never share one. Runs in a browser: nothing here may import from Node.
 *
 * A control character stays as it is inside a string, so the text is what is hashed and signed; on the wire the same
 * value travels as ordinary JSON. Keys are printable ASCII, because implementations sort other keys differently.
 */
export function canonicalise(value: unknown): Result<string, string> {
  try {
    return ok(write(value, 0))
  } catch (error) {
    if (error instanceof NotCanonical) return refuse(error.message)
    throw error
  }
}

/** The canonical text of a value we made ourselves. A value that has none is a mistake of the programmer. */
export function canonicalJson(value: unknown): string {
  return write(value, 0)
}

/**
 * Reads JSON from outside and refuses what two readers could understand differently: a key written twice, a key that
 * names something of `Object.prototype`, and every value that has no canonical text.
 */
export function parseStrictJson(text: string): Result<unknown, string> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return refuse(`is not JSON: ${(error as SyntaxError).message}`)
  }
  const canonical = canonicalise(value)
  if (!canonical.ok) return canonical
  return keysWritten(text) === keysIn(value) ? ok(value) : refuse('has a key twice')
}

/** Whether a name means something on every object, such as `constructor` or `__proto__`. */
export function isPrototypeName(name: string): boolean {
  return name === 'prototype' || Object.hasOwn(Object.prototype, name)
}

class NotCanonical extends Error {}

const depthMax = 64
const plainText = /^[ !#-[\]-~]*$/
const asciiKey = /^[ -~]+$/

function write(value: unknown, depth: number): string {
  if (depth > depthMax) throw new NotCanonical(`is nested deeper than ${depthMax}`)
  if (typeof value === 'string') return writeString(value)
  if (typeof value === 'number') return writeInteger(value)
  if (value === null || typeof value === 'boolean') return String(value)
  if (Array.isArray(value)) return writeArray(value, depth)
  if (isPlainObject(value)) return writeObject(value, depth)
  throw new NotCanonical(`holds ${value === undefined ? 'undefined' : `a ${typeof value}`}, which JSON cannot carry`)
}

function writeString(text: string): string {
  if (plainText.test(text)) return `"${text}"`
  if (!text.isWellFormed()) throw new NotCanonical('holds a lone surrogate')
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}

function writeInteger(value: number): string {
  if (!Number.isSafeInteger(value)) throw new NotCanonical(`holds ${value}, which is not an integer within 2^53`)
  return String(value)
}

function writeArray(values: readonly unknown[], depth: number): string {
  // Array.from visits the holes that map would skip, so that a sparse array is refused as undefined.
  return `[${Array.from(values, (item) => write(item, depth + 1)).join(',')}]`
}

function writeObject(value: Record<string, unknown>, depth: number): string {
  const keys = Object.keys(value).sort()
  let text = ''
  for (const key of keys) {
    if (!asciiKey.test(key)) throw new NotCanonical(`has the key ${JSON.stringify(key)}, which is not printable ASCII`)
    if (isPrototypeName(key)) throw new NotCanonical(`has the key ${JSON.stringify(key)}, a name of every object`)
    text += `${text === '' ? '' : ','}${writeString(key)}:${write(value[key], depth + 1)}`
  }
  return `{${text}}`
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** In valid JSON a string followed by a colon is a key and nothing else is. */
function keysWritten(text: string): number {
  let count = 0
  for (const match of text.matchAll(/"(?:[^"\\]|\\.)*"[ \t\r\n]*(:)?/g)) if (match[1] !== undefined) count += 1
  return count
}

function keysIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const own = Array.isArray(value) ? 0 : Object.keys(value).length
  return Object.values(value).reduce<number>((sum, item) => sum + keysIn(item), own)
}
