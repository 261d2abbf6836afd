import type { ProposedDocument } from '@bascule/contract/decide/draft.ts'
import { type Refusal, type Result, ok, refuse } from '@bascule/domain/lib/result.ts'
import { reviewBoardDraft } from '@bascule/trust/tuf/board-draft.ts'
import { decisionFrom } from '@bascule/trust/tuf/decision.ts'
import type { DelegatingSigned } from '@bascule/trust/tuf/documents.ts'
import { noVersion, reviewDraft, verifiedVersionOf } from '@bascule/trust/tuf/draft.ts'
import type { RepositoryDraft } from '@bascule/trust/tuf/repository-state.ts'
import { reviewRootDraft } from '@bascule/trust/tuf/root-draft.ts'
import type * as z from 'zod'
import type { StoredDocument } from './draft.tables.ts'
import { quorumsFor } from './quorum.ts'

type Proposed = z.infer<typeof ProposedDocument>

/**
 * Reviews what a tool proposes as every signer will: each document is the next version with exactly its decision
 * applied, and somebody is named who may sign it. The signer judges all of it once more.
 */
export function checkProposal(
  state: RepositoryDraft,
  documents: readonly Proposed[],
  at: Temporal.Instant,
): Result<StoredDocument[], Refusal> {
  const roles = documents.map(({ role }) => role)
  const twice = roles.find((role, index) => roles.indexOf(role) !== index)
  if (twice !== undefined) return no('draft-has-a-form', `The draft holds ${twice} twice.`)
  for (const document of documents) {
    const reviewed = review(state, document, at)
    if (!reviewed.ok) return reviewed
  }
  const stored = documents.map(
    ({ role, decision, signed }) => ({ role, decision, signed }) as unknown as StoredDocument,
  )
  const orphan = roles.find((role) => quorumsFor(state, stored, role).length === 0)
  return orphan === undefined ? ok(stored) : no('role-is-delegated', `Nobody is named for ${orphan}.`)
}

function review(state: RepositoryDraft, { role, decision, signed }: Proposed, at: Temporal.Instant) {
  const decided = decisionFrom(role, decision)
  if (!decided) return no('decision-has-a-form', `What was decided about ${role} is not of the agreed form.`)
  const before = state.roles[role]?.signed
  switch (decided.document) {
    case 'root':
      return reviewRootDraft(state.root?.signed, signed, decided.decision, at)
    case 'delegations':
      return reviewBoardDraft(role, before as DelegatingSigned | undefined, signed, decided.decision, at)
    case 'releases':
      return reviewDraft(before ? verifiedVersionOf(role, before) : noVersion(role), signed, decided.decision, at)
    default:
      return decided satisfies never
  }
}

function no(rule: string, fact: string): Result<never, Refusal> {
  return refuse({ rule, fact, lifter: 'Whoever made the draft', next: 'Make the draft again.' })
}
