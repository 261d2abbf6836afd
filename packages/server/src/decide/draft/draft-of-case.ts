import type { CaseId } from '@bascule/domain/lib/ids.ts'
import type { Db } from '#/platform/db/database.ts'
import type { ActorName } from '#/platform/lib/actor.ts'
import { insertDraft } from './draft.store.ts'

export interface QuestionOfDraft {
  readonly caseId: CaseId
  readonly role: string
  readonly title: string
  readonly askedBy: ActorName
}

/** Puts the question at the end of the queue of its role; `arrangeDrafts` gives it documents when the role is free. */
export async function queueDraft(
  tx: Db,
  { caseId, role, title, askedBy }: QuestionOfDraft,
  now: Temporal.Instant,
): Promise<void> {
  const draft = { kind: 'decision', title, state: 'queued', caseId, roles: [role], documents: [] } as const
  await insertDraft(tx, { ...draft, proposedBy: askedBy }, now)
}

/** Takes the draft of a question back, wherever it stands. What was signed under it stays as evidence. */
export async function withdrawDraftOf(tx: Db, caseId: CaseId): Promise<void> {
  await tx
    .updateTable('draft')
    .set({ state: 'withdrawn' })
    .where('case_id', '=', caseId)
    .where('state', 'in', ['queued', 'signing'])
    .execute()
}
