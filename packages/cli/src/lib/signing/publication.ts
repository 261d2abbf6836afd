import { setTimeout as pause } from 'node:timers/promises'
import type { DraftView } from '@bascule/contract/decide/signing.ts'
import type { Member } from './with-member.ts'

const publishWaitMs = 15_000

/** The signer publishes within a second; a draft that it refuses says why. Answers the draft as it is then. */
export async function untilPublished({ client }: Pick<Member, 'client'>, draft: DraftView): Promise<DraftView> {
  const giveUpAtMs = performance.now() + publishWaitMs
  let now = draft
  while (now.state === 'signing' && now.refusal === null && performance.now() < giveUpAtMs) {
    await pause(200)
    now = asView(await client.decide.draft.get({ draftId: draft.id }))
  }
  return now
}

export function outcomeWords({ state, refusal, id }: DraftView): string[] {
  if (state === 'published') return ['Published: devices learn of it with their next check-in.']
  if (refusal !== null) return [`Not published. ${refusal.fact} ${refusal.next}`]
  return state === 'signing' ? [`Others sign with: bascule sign ${id}`] : [`The draft is ${state}.`]
}

/** What came over the wire has the contract's form; the client's type of it says unknown where a signature is read unread. */
export function asView(draft: unknown): DraftView {
  return draft as DraftView
}
