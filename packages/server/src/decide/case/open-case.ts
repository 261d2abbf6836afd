import { type CaseKind } from '@bascule/domain/decide/case.ts'
import type { ReleaseId } from '@bascule/domain/lib/ids.ts'
import { unreachable } from '@bascule/domain/lib/result.ts'
import type { RoleDecision } from '@bascule/trust/tuf/draft.ts'
import type { RepositoryDraft } from '@bascule/trust/tuf/repository-state.ts'
import type { Db } from '#/platform/db/database.ts'
import { record } from '#/platform/ledger/record.ts'
import type { ActorName } from '#/platform/lib/actor.ts'
import { arrangeDrafts } from '../draft/draft-queue.ts'
import { queueDraft } from '../draft/draft-of-case.ts'
import { type CaseRecord, insertCase } from './case.store.ts'
import type { AskedFor } from './case.tables.ts'

export interface Question {
  readonly kind: CaseKind
  readonly releaseId: ReleaseId
  readonly board: string
  readonly role: string
  readonly path: string
  readonly decision: RoleDecision
  readonly askedFor: AskedFor
  readonly reason: string | null
}

/** Opens a case and puts its draft into the queue of the role. The caller holds the lock of decisions. */
export async function openCase(
  tx: Db,
  state: RepositoryDraft,
  question: Question,
  actor: ActorName,
  now: Temporal.Instant,
): Promise<CaseRecord> {
  const { kind, releaseId, board, role, path, decision, askedFor, reason } = question
  const at = now.toString()
  const asked = await insertCase(tx, {
    release_id: releaseId,
    kind,
    state: 'open',
    state_since: at,
    board,
    role,
    path,
    decision: JSON.stringify(decision),
    asked_for: JSON.stringify(askedFor),
    reason,
    asked_by_id: actor.id,
    asked_by: actor.name,
    asked_at: at,
  })
  await record(tx, {
    actor,
    at: now,
    did: 'case.opened',
    subject: { kind: 'case', id: asked.id },
    releaseId,
    after: { kind, role, path, manifestSha256: askedFor.manifestSha256, counter: askedFor.counter, reason },
  })
  await queueDraft(tx, { caseId: asked.id, role, title: titleOf(kind, releaseId, askedFor), askedBy: actor }, now)
  await arrangeDrafts(tx, state, now)
  return asked
}

export function titleOf(kind: CaseKind, releaseId: string, { title, version }: AskedFor): string {
  return `${headOf(kind)} ${releaseId}, ${title} ${version}`
}

function headOf(kind: CaseKind): string {
  switch (kind) {
    case 'go':
      return 'Go for'
    case 'emergency':
      return 'Emergency Go for'
    case 'ratify':
      return 'Ratify the emergency release'
    case 'open-phases':
      return 'Open further phases of'
    case 'withdraw':
      return 'Withdraw'
    case 'back-out-from':
      return 'Allow devices to go back to'
    case 'stop':
      return 'Stop'
    case 'lift-stop':
      return 'Lift the stop of'
    default:
      return unreachable(kind)
  }
}
