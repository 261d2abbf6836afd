import type { Config } from '#/platform/config.ts'

export type Outcome = 'ok' | 'warn' | 'fail'

/** What one check saw, for a person: `next` is there whenever something is to be done. */
export interface Finding {
  /** What was looked at: `free space`. */
  readonly what: string
  readonly outcome: Outcome
  readonly sentence: string
  readonly next: string | null
}

/** Looks at one thing and changes nothing. Throwing counts as a failure of that check alone. */
export interface Check {
  readonly what: string
  readonly look: (config: Config) => Look | Promise<Look>
}

export type Look = Omit<Finding, 'what'>

export function fine(sentence: string): Look {
  return { outcome: 'ok', sentence, next: null }
}

export function warn(sentence: string, next: string): Look {
  return { outcome: 'warn', sentence, next }
}

export function fail(sentence: string, next: string): Look {
  return { outcome: 'fail', sentence, next }
}

/** The words of whatever was thrown, without its stack. */
export function wordsOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
