import type { NamedFact } from '@bascule/domain/lib/fact.ts'
import { ok, refuse } from '@bascule/domain/lib/result.ts'
import type { Refusal, Result } from '@bascule/domain/lib/result.ts'

export interface FactSubject {
  readonly kind: string
  readonly id: string
}

export type FactSource = (subject: FactSubject, now: Temporal.Instant) => Promise<NamedFact>

export type FactRefusal = Refusal<'fact-without-source'>

/**
 * The facts that wings know about each other's things, by name. Whoever asks never imports whoever knows; that is how
 * something on the right (an incident, training) reaches a rule on the left. An unknown name is refused and never guessed.
 */
export interface Facts {
  factSource(name: string, source: FactSource): void
  ask(name: string, subject: FactSubject, now: Temporal.Instant): Promise<Result<NamedFact, FactRefusal>>
  names(): readonly string[]
}

export function createFacts(): Facts {
  const sources = new Map<string, FactSource>()
  return {
    factSource(name, source) {
      if (sources.has(name)) throw new Error(`Two features know the fact ${name}; only one can`)
      sources.set(name, source)
    },
    async ask(name, subject, now) {
      const source = sources.get(name)
      return source === undefined ? refuse(withoutSource(name)) : ok(await source(subject, now))
    },
    names: () => [...sources.keys()].toSorted(),
  }
}

function withoutSource(name: string): FactRefusal {
  return {
    rule: 'fact-without-source',
    fact: `Nothing in this installation knows "${name}".`,
    lifter: 'whoever wrote the rule that asks for it',
    next: 'Take this fact out of the model or the rule, or install the part that knows it.',
  }
}
