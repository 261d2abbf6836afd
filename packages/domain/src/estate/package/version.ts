import { assert, ok, refuse, unreachable, type Result } from '#/lib/result.ts'

/** A version taken apart: numbers and words of the core, then those of the pre-release. Build data is not ordered. */
interface VersionParts {
  readonly core: readonly string[]
  readonly before: readonly string[]
}

const comparators = ['>=', '<=', '>', '<', '='] as const
type Comparator = (typeof comparators)[number]

export interface VersionBound {
  readonly comparator: Comparator
  readonly version: string
}

/** Alternatives of bounds that must all hold: `>=10 <11 || =12.1`. */
export type VersionRange = readonly (readonly VersionBound[])[]

const versionPattern = /^[0-9A-Za-z][0-9A-Za-z.~_]*(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/

/** Whether this can be ordered: semantic versions, dotted numbers of any length, and words between the dots. */
export function isVersion(text: string): boolean {
  return text.length <= 100 && versionPattern.test(text)
}

/**
 * Orders two versions: negative when `a` is older. `12` equals `12.0`, a pre-release comes before its release,
 * numbers before words, and what follows `+` does not count. Total: any two strings have an order.
 */
export function compareVersions(a: string, b: string): number {
  const left = partsOf(a)
  const right = partsOf(b)
  const core = compareParts(left.core, right.core, '0')
  if (core !== 0) return core
  if (left.before.length === 0 || right.before.length === 0) return right.before.length - left.before.length
  return compareParts(left.before, right.before, '')
}

/** Reads a range such as `>=12`, `>=10.0.19045 <11` or `<2 || =3.1`. The refusal is the part that is not one. */
export function parseVersionRange(text: string): Result<VersionRange, string> {
  const range: VersionBound[][] = []
  for (const alternative of text.split('||')) {
    const bounds: VersionBound[] = []
    for (const word of wordsOf(alternative)) {
      const comparator = comparators.find((sign) => word.startsWith(sign)) ?? '='
      const version = word.startsWith(comparator) ? word.slice(comparator.length) : word
      if (!isVersion(version)) return refuse(word)
      bounds.push({ comparator, version })
    }
    if (bounds.length === 0) return refuse(text.trim())
    range.push(bounds)
  }
  return ok(range)
}

/** Whether the version lies in the range. The range was accepted by `parseVersionRange` when it was written down. */
export function isVersionInRange(version: string, range: string): boolean {
  const parsed = parseVersionRange(range)
  assert(parsed.ok, `"${range}" is a version range`)
  return parsed.value.some((bounds) => bounds.every((bound) => holds(compareVersions(version, bound.version), bound)))
}

function holds(order: number, bound: VersionBound): boolean {
  switch (bound.comparator) {
    case '>=':
      return order >= 0
    case '<=':
      return order <= 0
    case '>':
      return order > 0
    case '<':
      return order < 0
    case '=':
      return order === 0
    default:
      return unreachable(bound.comparator)
  }
}

/** Words between spaces; a comparator written apart (`>= 12`) belongs to the word after it. */
function wordsOf(alternative: string): string[] {
  return alternative
    .replaceAll(/(?<sign>[<>=])\s+/g, '$<sign>')
    .split(/\s+/)
    .filter((word) => word !== '')
}

function partsOf(version: string): VersionParts {
  const ordered = version.split('+', 1)[0] ?? ''
  const dash = ordered.indexOf('-')
  const core = dash === -1 ? ordered : ordered.slice(0, dash)
  return { core: core.split('.'), before: dash === -1 ? [] : ordered.slice(dash + 1).split('.') }
}

function compareParts(a: readonly string[], b: readonly string[], filler: string): number {
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const order = comparePart(a[index] ?? filler, b[index] ?? filler)
    if (order !== 0) return order
  }
  return 0
}

function comparePart(a: string, b: string): number {
  const aIsNumber = /^[0-9]+$/.test(a)
  const bIsNumber = /^[0-9]+$/.test(b)
  if (aIsNumber && bIsNumber) return compareDigits(a, b)
  // Nothing at all comes before everything, so that `rc` is older than `rc.1`; a number comes before a word.
  if (a === '' || b === '') return a.length - b.length
  if (aIsNumber !== bIsNumber) return aIsNumber ? -1 : 1
  if (a === b) return 0
  return a < b ? -1 : 1
}

/** Without Number: build numbers of twenty digits exist. */
function compareDigits(a: string, b: string): number {
  const left = a.replace(/^0+/, '')
  const right = b.replace(/^0+/, '')
  if (left.length !== right.length) return left.length - right.length
  if (left === right) return 0
  return left < right ? -1 : 1
}
