import type { Client } from '#/api/client.ts'
import { factSentence } from '#/ui/fact-sentence.ts'
import { countOf } from '#/ui/format.ts'

export type Fact = Awaited<ReturnType<Client['platform']['ledger']['list']>>['items'][number]

export interface ActivityLine {
  id: number
  at: string
  words: string
  isTrouble: boolean
}

/** Steps between two states that a person sees anyway; the ledger keeps them. */
const quiet: ReadonlySet<string> = new Set(['phase.preparing', 'phase.evaluating'])

/** The story of a release, newest first: devices that did the same in a row share one line. */
export function activityFrom(facts: readonly Fact[], linesMax: number): ActivityLine[] {
  const groups: Fact[][] = []
  for (const fact of facts.filter((each) => !quiet.has(each.did))) {
    const group = groups.at(-1)
    const [first] = group ?? []
    if (group !== undefined && first !== undefined && isAlike(first, fact)) group.push(fact)
    else groups.push([fact])
  }
  return groups.slice(0, linesMax).flatMap(lineOf)
}

function isAlike(one: Fact, other: Fact): boolean {
  return one.did === 'job.succeeded' && other.did === 'job.succeeded'
}

function lineOf(group: Fact[]): ActivityLine[] {
  const [fact] = group
  if (fact === undefined) return []
  const words =
    group.length === 1 ? factSentence(fact) : `${countOf(group.length, 'device')} verified, last ${fact.actor.name}`
  return [{ id: fact.id, at: fact.at, words, isTrouble: /failed|rolled-back|stopped/.test(fact.did) }]
}
