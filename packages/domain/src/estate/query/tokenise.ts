import { ok, refuse, type Result } from '#/lib/result.ts'
import type { QueryProblem } from './query.ts'

export type Sign = ':' | '=' | '!=' | '<' | '<=' | '>' | '>='

/** Text between spaces, put together from bare and quoted pieces. A star counts as a wildcard only outside quotes. */
export interface Text {
  /** Literal pieces between wildcards; one piece means there is none. */
  readonly parts: readonly string[]
  readonly quoted: boolean
}

export type Token =
  | { readonly kind: '(' | ')' | '-'; readonly at: number }
  | { readonly kind: 'word'; readonly at: number; readonly text: Text }
  | {
      readonly kind: 'term'
      readonly at: number
      readonly key: string
      readonly sign: Sign
      readonly value: Text
      readonly valueAt: number
    }

/** Splits a query into its words. Never throws; what cannot be split is answered with its place. */
export function tokenise(source: string): Result<readonly Token[], QueryProblem> {
  const tokens: Token[] = []
  let at = skipSpace(source, 0)
  while (at < source.length) {
    const read = readToken(source, at)
    if (!read.ok) return read
    tokens.push(read.value.token)
    at = skipSpace(source, read.value.end)
  }
  return ok(tokens)
}

interface Read {
  readonly token: Token
  readonly end: number
}

function readToken(source: string, at: number): Result<Read, QueryProblem> {
  const char = source.charAt(at)
  if (char === '(' || char === ')' || char === '-') return ok({ token: { kind: char, at }, end: at + 1 })
  const head = /[^\s()":=<>!]*/uy
  head.lastIndex = at
  const key = head.exec(source)?.[0] ?? ''
  const sign = signAt(source, at + key.length)
  if (sign === undefined) return readWord(source, at)
  const written = at + key.length + sign.written
  const value = readText(source, written)
  if (!value.ok) return value
  const { text, end } = value.value
  if (end === written) return refuse({ at: written, message: `Write a value after "${source.slice(at, written)}".` })
  return ok({ token: { kind: 'term', at, key, sign: sign.sign, value: text, valueAt: written }, end })
}

function readWord(source: string, at: number): Result<Read, QueryProblem> {
  const read = readText(source, at)
  if (!read.ok) return read
  return ok({ token: { kind: 'word', at, text: read.value.text }, end: read.value.end })
}

/** `free:<2GB` is the same as `free<2GB`. */
function signAt(source: string, at: number): { sign: Sign; written: number } | undefined {
  const found = /^(?::?(?:<=|>=|<|>)|!=|:|=)/.exec(source.slice(at, at + 3))?.[0]
  if (found === undefined) return undefined
  const sign = found.length > 1 && found.startsWith(':') ? found.slice(1) : found
  return { sign: sign as Sign, written: found.length }
}

function readText(source: string, from: number): Result<{ text: Text; end: number }, QueryProblem> {
  const parts = ['']
  let quoted = false
  let at = from
  while (at < source.length && !/[\s()]/.test(source.charAt(at))) {
    const char = source.charAt(at)
    if (char === '"') {
      const piece = readQuoted(source, at)
      if (!piece.ok) return piece
      parts.push((parts.pop() ?? '') + piece.value.text)
      quoted = true
      at = piece.value.end
      continue
    }
    if (char === '*') parts.push('')
    else parts.push((parts.pop() ?? '') + char)
    at += 1
  }
  return ok({ text: { parts, quoted }, end: at })
}

function readQuoted(source: string, from: number): Result<{ text: string; end: number }, QueryProblem> {
  let text = ''
  for (let at = from + 1; at < source.length; at += 1) {
    const char = source.charAt(at)
    if (char === '"') return ok({ text, end: at + 1 })
    if (char === '\\') {
      at += 1
      text += source.charAt(at)
    } else text += char
  }
  return refuse({ at: from, message: 'This quotation mark is never closed; add another " after the text.' })
}

function skipSpace(source: string, at: number): number {
  let next = at
  while (next < source.length && /\s/.test(source.charAt(next))) next += 1
  return next
}
