/** The answer of a rule: a value, or the reason why there is none. Never thrown, always returned. */
export type Result<T, E> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: E }

/**
 * Why something may not happen, complete enough to act on: the rule that says no, the fact that broke it,
 * who can lift it and what to do next. A refusal without one of these four is not an answer.
 */
export interface Refusal<Rule extends string = string> {
  /** Name of the rule, a kebab-case word that stays the same over releases: programs compare it. */
  readonly rule: Rule
  /** What was found, in a sentence: "Phase 2 has 3 of 2 allowed failures." */
  readonly fact: string
  /** Who or what can lift it: a role, a person or an event. */
  readonly lifter: string
  /** The next action of whoever reads this. */
  readonly next: string
}

export function ok<T>(value: T): Result<T, never> {
  return { ok: true, value }
}

export function refuse<E>(error: E): Result<never, E> {
  return { ok: false, error }
}

/** The branch that no value reaches. A new member of a union becomes a compile error at every call. */
export function unreachable(value: never): never {
  throw new Error(`This cannot happen: ${JSON.stringify(value)}`)
}

/** States what must be so. A failure is a mistake of the programmer and is never caught to go on. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`This must hold and does not: ${message}`)
}
