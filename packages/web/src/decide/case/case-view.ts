import type { Client } from '#/api/client.ts'
import { countOf } from '#/ui/format.ts'

export type Case = Awaited<ReturnType<Client['decide']['case']['get']>>
export type CaseRow = Awaited<ReturnType<Client['decide']['case']['list']>>['items'][number]
export type Vote = Case['votes'][number]
export type CasePhase = Case['phases'][number]

const kindWords: Readonly<Record<CaseRow['kind'], string>> = {
  go: 'Go',
  emergency: 'Emergency Go',
  ratify: 'Ratify the emergency',
  'open-phases': 'Open further phases',
  withdraw: 'Withdraw the Go',
  'back-out-from': 'Allow the way back',
  stop: 'Stop',
  'lift-stop': 'Lift the stop',
}

/** What the board is asked, in one or a few words. */
export function kindText(kind: CaseRow['kind']): string {
  return kindWords[kind]
}

/** "Go for Till 4.2.0". */
export function caseTitle({ kind, title, version }: Pick<CaseRow, 'kind' | 'title' | 'version'>): string {
  return `${kindWords[kind]}: ${title} ${version}`
}

/** Whether the board can say something that counts now. */
export function isOpen({ state }: Pick<CaseRow, 'state'>): boolean {
  return state === 'open'
}

/** Whether the question can be taken back: it is open, or will be asked again at a later day. */
export function isPending({ state }: Pick<CaseRow, 'state'>): boolean {
  return state === 'open' || state === 'deferred'
}

/** Kinds that let a release out, so that there is something to change for devices. */
export function letsOut(kind: CaseRow['kind']): boolean {
  return ['go', 'emergency', 'ratify', 'open-phases'].includes(kind)
}

/** Whose word is still missing; empty when everybody has spoken. */
export function missingNames(votes: readonly Vote[]): string[] {
  return votes.filter(({ said }) => said === 'nothing-yet').map(({ name }) => name)
}

/** "2 more signatures", in what devices need before they take it. */
export function stillNeeded({ signatures, threshold }: Pick<CaseRow, 'signatures' | 'threshold'>): string {
  return countOf(Math.max(0, threshold - signatures), 'more signature')
}

/** "36 devices in 3 phases". */
export function reachText({ audience, phases }: Pick<Case, 'audience' | 'phases'>): string {
  return `${countOf(audience, 'device')} in ${countOf(phases.length, 'phase')}`
}

/** Those who have spoken first, in the order in which they did; then the person who reads; then the others. */
export function votesInOrder(votes: readonly Vote[], mine: ReadonlySet<string>): Vote[] {
  const rank = (vote: Vote) => (vote.at === null ? (mine.has(vote.keyId) ? 1 : 2) : 0)
  return votes.toSorted((a, b) => rank(a) - rank(b) || (a.at ?? '').localeCompare(b.at ?? ''))
}
