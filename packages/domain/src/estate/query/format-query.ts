import { unreachable } from '#/lib/result.ts'
import type { Query } from './query.ts'

/** The text of a query. `parseQuery` gives the same tree back. */
export function formatQuery(query: Query): string {
  switch (query.kind) {
    case 'all':
      return ''
    case 'and':
      return query.of.map((part) => (part.kind === 'or' ? `(${formatQuery(part)})` : formatQuery(part))).join(' ')
    case 'or':
      return query.of.map((part) => formatQuery(part)).join(' or ')
    case 'not':
      return query.of.kind === 'and' || query.of.kind === 'or'
        ? `-(${formatQuery(query.of)})`
        : `-${formatQuery(query.of)}`
    case 'is':
      return `${query.key}:${formatValue(query.value)}`
    case 'like':
      return `${query.key}:${formatPattern(query.parts)}`
    case 'compare':
      return `${query.key}${query.op}${formatValue(query.value)}`
    case 'has':
      return `has:${query.key}`
    case 'word':
      return formatWord(query.text)
    case 'sample':
      return formatSample(query)
    default:
      return unreachable(query)
  }
}

function formatWord(text: string): string {
  const isPlain = /^[^\s()":=<>!*-][^\s()":=<>!*]*$/.test(text) && !/^(?:and|or|not)$/i.test(text)
  return isPlain ? text : quote(text)
}

/** A value must not begin with what would belong to the sign before it. */
function formatValue(text: string): string {
  return /^[^\s()"*:=<>!][^\s()"*]*$/.test(text) ? text : quote(text)
}

function formatPattern(parts: readonly string[]): string {
  return parts.map((part) => (part === '' || /^[^\s()"*:=<>!]+$/.test(part) ? part : quote(part))).join('*')
}

function formatSample({ fromPpm, toPpm, seed }: Extract<Query, { kind: 'sample' }>): string {
  const share = fromPpm === 0 ? percent(toPpm) : `${percent(fromPpm)}..${percent(toPpm)}`
  return seed === '' ? `sample:${share}` : `sample:${formatValue(`${share}@${seed}`)}`
}

function percent(ppm: number): string {
  return `${Number((ppm / 10_000).toFixed(4))}%`
}

function quote(text: string): string {
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`
}
