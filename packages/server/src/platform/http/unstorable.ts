import type { InputProblem } from '@bascule/contract/lib/errors.ts'

/** Far above every input of the contract, far below what exhausts a stack. */
const depthMax = 64

/**
 * The first text of an input that PostgreSQL takes in no column, and where it is: a NUL, or half of a surrogate pair. A
 * schema that only says `string` lets both through. Files are left alone; they are not inputs of a procedure's fields.
 */
export function findUnstorable(input: unknown, path: readonly string[] = []): InputProblem | undefined {
  if (typeof input === 'string')
    return isStorable(input) ? undefined : problemAt(path, 'has a character that is no text')
  if (typeof input !== 'object' || input === null) return undefined
  if (path.length >= depthMax) return problemAt(path.slice(0, 3), 'is nested too deep')
  for (const [name, inner] of Object.entries(input)) {
    if (!isStorable(name)) return problemAt(path, 'has a name with a character that is no text')
    const found = findUnstorable(inner, [...path, name])
    if (found !== undefined) return found
  }
  return undefined
}

function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed()
}

function problemAt(path: readonly string[], problem: string): InputProblem {
  return { field: path.join('.'), problem }
}
