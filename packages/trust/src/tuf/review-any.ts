import { type Refusal, type Result, ok, refuse } from '@bascule/domain/lib/result.ts'
import { type BoardDifference, reviewBoardDraft } from './board-draft.ts'
import { decisionFrom } from './decision.ts'
import type { DelegatingSigned, RoleSigned, RootSigned } from './documents.ts'
import { type RoleDifference, noVersion, reviewDraft, verifiedVersionOf } from './draft.ts'
import { type RootDifference, reviewRootDraft } from './root-draft.ts'

/** What a signature would change, with the kind of document it stands under. */
export type Difference =
  | { readonly document: 'root'; readonly role: string; readonly difference: RootDifference }
  | { readonly document: 'delegations'; readonly role: string; readonly difference: BoardDifference }
  | { readonly document: 'releases'; readonly role: string; readonly difference: RoleDifference }

/**
 * What a signing tool asks of one document, whatever it is: `before` is the last version that the tool has verified
 * itself, undefined where there is none. The decision and the draft come from a server that may lie; answered is the
 * difference that exactly this decision makes, or why nobody should sign.
 */
export function reviewAny(
  role: string,
  before: RootSigned | RoleSigned | undefined,
  draft: unknown,
  decision: unknown,
  at: Temporal.Instant,
): Result<Difference, Refusal> {
  const decided = decisionFrom(role, decision)
  switch (decided?.document) {
    case undefined:
      return unread(role)
    case 'root': {
      const reviewed = reviewRootDraft(before as RootSigned | undefined, draft, decided.decision, at)
      return reviewed.ok ? ok({ document: 'root', role, difference: reviewed.value }) : reviewed
    }
    case 'delegations': {
      const had = before as DelegatingSigned | undefined
      const reviewed = reviewBoardDraft(role, had, draft, decided.decision, at)
      return reviewed.ok ? ok({ document: 'delegations', role, difference: reviewed.value }) : reviewed
    }
    case 'releases': {
      const had = before ? verifiedVersionOf(role, before as RoleSigned) : noVersion(role)
      const reviewed = reviewDraft(had, draft, decided.decision, at)
      return reviewed.ok ? ok({ document: 'releases', role, difference: reviewed.value }) : reviewed
    }
    default:
      return decided satisfies never
  }
}

function unread(role: string): Result<never, Refusal> {
  return refuse({
    rule: 'decision-has-a-form',
    fact: `What was decided about ${role} is not of the agreed form.`,
    lifter: 'The server that made the draft',
    next: 'Do not sign. Ask for a new draft.',
  })
}
