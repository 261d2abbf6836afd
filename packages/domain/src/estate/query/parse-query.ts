import { ok, refuse, type Result } from '#/lib/result.ts'
import { storable } from './fold.ts'
import { parseCondition } from './parse-condition.ts'
import { type Query, queryLimits, type QueryProblem } from './query.ts'
import { tokenise, type Token } from './tokenise.ts'

export type { Query } from './query.ts'

type Parsed = Result<Query, QueryProblem>

/** Reads a query. Never throws: every text is a query or has a place and a sentence that says what is wrong there. */
export function parseQuery(written: string): Parsed {
  const source = storable(written)
  if (source.length > queryLimits.characters) {
    return refuse({ at: queryLimits.characters, message: `A query has at most ${queryLimits.characters} characters.` })
  }
  const tokens = tokenise(source)
  if (!tokens.ok) return tokens
  if (tokens.value.length === 0) return ok({ kind: 'all' })
  const reader = { tokens: tokens.value, next: 0, end: source.length }
  const query = parseOr(reader, 0)
  const left = peek(reader)
  if (query.ok && left) return refuse({ at: left.at, message: 'This closing parenthesis has no opening one.' })
  return query
}

interface Reader {
  readonly tokens: readonly Token[]
  next: number
  readonly end: number
}

function parseOr(reader: Reader, depth: number): Parsed {
  return parseList(reader, 'or', () => parseAnd(reader, depth))
}

/** Conditions side by side must all hold; writing `and` between them is allowed and changes nothing. */
function parseAnd(reader: Reader, depth: number): Parsed {
  return parseList(reader, 'and', () => parseNot(reader, depth))
}

function parseList(reader: Reader, kind: 'and' | 'or', parseItem: () => Parsed): Parsed {
  const items: Query[] = []
  for (;;) {
    const item = parseItem()
    if (!item.ok) return item
    if (item.value.kind === kind) items.push(...item.value.of)
    else items.push(item.value)
    const written = takeKeyword(reader, kind)
    if (!written && (kind === 'or' || endsAnd(reader))) break
  }
  const [only, second] = items
  return ok(only && !second ? only : { kind, of: items })
}

function endsAnd(reader: Reader): boolean {
  const token = peek(reader)
  return token === undefined || token.kind === ')' || isKeyword(token, 'or')
}

function parseNot(reader: Reader, depth: number): Parsed {
  const token = peek(reader)
  if (depth > queryLimits.depth) {
    return refuse({ at: token?.at ?? reader.end, message: `A query is nested at most ${queryLimits.depth} deep.` })
  }
  if (token?.kind !== '-' && !takeKeyword(reader, 'not')) return parsePrimary(reader, depth)
  if (token?.kind === '-') reader.next += 1
  const inner = parseNot(reader, depth + 1)
  return inner.ok ? ok({ kind: 'not', of: inner.value }) : inner
}

function parsePrimary(reader: Reader, depth: number): Parsed {
  const token = peek(reader)
  if (token === undefined) return refuse({ at: reader.end, message: 'Something is missing at the end.' })
  if (token.kind === ')') return refuse({ at: token.at, message: 'A condition is missing before this parenthesis.' })
  if (isKeyword(token, 'and') || isKeyword(token, 'or')) {
    return refuse({ at: token.at, message: 'A condition is missing here; put the word in quotes to look for it.' })
  }
  reader.next += 1
  if (token.kind === 'word' || token.kind === 'term') return parseCondition(token)
  if (token.kind === '-') return unexpectedMinus(token.at)
  const inner = parseOr(reader, depth + 1)
  if (!inner.ok) return inner
  if (peek(reader)?.kind !== ')') return refuse({ at: token.at, message: 'This parenthesis is never closed.' })
  reader.next += 1
  return inner
}

/** `parseNot` takes every minus before; the branch is here for the compiler. */
function unexpectedMinus(at: number): Parsed {
  return refuse({ at, message: 'A condition is missing after this minus.' })
}

function peek(reader: Reader): Token | undefined {
  return reader.tokens[reader.next]
}

function takeKeyword(reader: Reader, word: 'and' | 'or' | 'not'): boolean {
  const token = peek(reader)
  if (token === undefined || !isKeyword(token, word)) return false
  reader.next += 1
  return true
}

function isKeyword(token: Token, word: string): boolean {
  if (token.kind !== 'word' || token.text.quoted || token.text.parts.length > 1) return false
  return token.text.parts[0]?.toLowerCase() === word
}
