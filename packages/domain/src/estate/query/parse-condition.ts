import { ok, refuse, type Result } from '#/lib/result.ts'
import { aliases, isAttributeKey, type Query, type QueryProblem } from './query.ts'
import type { Sign, Text, Token } from './tokenise.ts'

type Term = Extract<Token, { kind: 'term' }>
type Word = Extract<Token, { kind: 'word' }>
type Parsed = Result<Query, QueryProblem>

const keyPattern = /^[a-z0-9][a-z0-9._+-]{0,127}$/

/** What one word or one `key:value` means. */
export function parseCondition(token: Word | Term): Parsed {
  if (token.kind === 'word') return ok(wordCondition(token.text))
  const written = token.key.toLowerCase()
  if (written === '')
    return refuse({ at: token.at, message: 'Write the name of a fact before this sign, as in os:linux.' })
  if (written === 'has') return parseHas(token)
  if (written === 'sample') return parseSample(token)
  const key = aliases.get(written) ?? written
  if (!keyPattern.test(key)) return refuse({ at: token.at, message: `"${token.key}" is not the name of a fact.` })
  return parseTerm(token, key)
}

function wordCondition(text: Text): Query {
  const [only, ...others] = text.parts
  if (others.length > 0) return { kind: 'like', key: 'name', parts: text.parts }
  return { kind: 'word', text: only ?? '' }
}

function parseTerm(token: Term, key: string): Parsed {
  const equal = equalCondition(key, token.value)
  if (token.sign === ':' || token.sign === '=') return ok(equal)
  if (token.sign === '!=') return ok({ kind: 'not', of: equal })
  if (isAttributeKey(key)) {
    return refuse({ at: token.valueAt, message: `"${key}" has no order; write ${key}:value, with * for any text.` })
  }
  const [value, ...others] = token.value.parts
  if (others.length > 0) return refuse({ at: token.valueAt, message: 'A comparison takes a value without *.' })
  return ok({ kind: 'compare', key, op: token.sign, value: value ?? '' })
}

function equalCondition(key: string, { parts }: Text): Query {
  const [value, ...others] = parts
  return others.length > 0 ? { kind: 'like', key, parts } : { kind: 'is', key, value: value ?? '' }
}

function parseHas(token: Term): Parsed {
  const [written, ...others] = token.value.parts
  const key = aliases.get((written ?? '').toLowerCase()) ?? (written ?? '').toLowerCase()
  if (isEquality(token.sign) && others.length === 0 && keyPattern.test(key)) return ok({ kind: 'has', key })
  return refuse({ at: token.valueAt, message: 'Write has: and the name of a fact, as in has:package.firefox.' })
}

/** `sample:10%` or `sample:10%..30%`, with `@seed` behind it to draw other lots. */
function parseSample(token: Term): Parsed {
  const text = token.value.parts.length === 1 ? (token.value.parts[0] ?? '') : ''
  const found = /^(?:(\d{1,3}(?:\.\d{1,4})?)%\.\.)?(\d{1,3}(?:\.\d{1,4})?)%(?:@(.*))?$/su.exec(text)
  const problem = 'Write sample: and a share, as in sample:10%, sample:10%..30% or sample:10%@seed.'
  if (!found || !isEquality(token.sign)) return refuse({ at: token.valueAt, message: problem })
  const fromPpm = Math.round(Number(found[1] ?? 0) * 10_000)
  const toPpm = Math.round(Number(found[2]) * 10_000)
  if (fromPpm > toPpm || toPpm > 1_000_000) {
    return refuse({ at: token.valueAt, message: 'A share lies between 0% and 100%, the smaller number first.' })
  }
  return ok({ kind: 'sample', fromPpm, toPpm, seed: found[3] ?? '' })
}

function isEquality(sign: Sign): boolean {
  return sign === ':' || sign === '='
}
