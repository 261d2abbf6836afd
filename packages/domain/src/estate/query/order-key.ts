import { fold } from './fold.ts'
import type { FactValue } from './query.ts'

/** Long enough for every real version, short enough for a B-tree entry. What follows does not count. */
const maxKeyLength = 240

/**
 * A plain ASCII text whose byte order is the order of the values, so that memory and SQL compare the same bytes.
 * Numbers and texts never mix: their keys begin with `n` and `t`. A truth value has no order.
 */
export function orderKey(value: FactValue): string | undefined {
  if (typeof value === 'number') return numberKey(value)
  if (typeof value === 'string') return versionKey(value)
  return undefined
}

/** The bits of the number with the sign turned around: sixteen hex digits that sort as the numbers do. */
export function numberKey(value: number): string {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value === 0 ? 0 : value)
  const bits = view.getBigUint64(0)
  const sortable = bits >> 63n === 0n ? bits | (1n << 63n) : ~bits & ((1n << 64n) - 1n)
  return `n${sortable.toString(16).padStart(16, '0')}`
}

/** The order of `compareVersions` as bytes: 12 = 12.0 < 12.10 < 13, 12-rc.1 < 12. Case does not count. */
export function versionKey(text: string): string {
  const ordered = fold(text.trim()).split('+', 1)[0] ?? ''
  const dash = ordered.indexOf('-')
  const core = (dash === -1 ? ordered : ordered.slice(0, dash)).split('.')
  const key = withoutTail(core, /^0+$/)
    .map((part) => encodePart(part))
    .join('')
  if (dash === -1) return `t${key}#~`.slice(0, maxKeyLength)
  const before = withoutTail(ordered.slice(dash + 1).split('.'), /^$/).map((part) => encodePart(part))
  return `t${key}#!${before.join('')}#`.slice(0, maxKeyLength)
}

function withoutTail(parts: readonly string[], idle: RegExp): readonly string[] {
  const last = parts.findLastIndex((part) => !idle.test(part))
  return parts.slice(0, last + 1)
}

/** An empty part sorts before the end (`#`), a number after it, a word after a number. */
function encodePart(part: string): string {
  if (part === '') return '!'
  if (!/^[0-9]+$/.test(part)) return `&${ascii(part)} `
  const digits = part.replace(/^0+(?=[0-9])/, '')
  return `%${String(digits.length).padStart(3, '0')}${digits}`
}

/** Other scripts as their code points, because UTF-16 order and UTF-8 order differ. */
function ascii(text: string): string {
  return Array.from(text, (char) => (/^[!-}]$/.test(char) ? char : `~${hexOf(char)}`)).join('')
}

function hexOf(char: string): string {
  return (char.codePointAt(0) ?? 0).toString(16).padStart(6, '0')
}
