import type { LifecycleStep, ReleaseView } from '@bascule/contract/plan/release.ts'
import { sql } from 'kysely'
import type * as z from 'zod'
import type { Db } from '#/platform/db/database.ts'
import type { ReleaseRecord, ReleaseState } from '#/plan/release/release.store.ts'

type StepKey = z.infer<typeof LifecycleStep>['key']
type Reached = Readonly<Partial<Record<StepKey, string>>>

const steps: readonly StepKey[] = ['plan', 'build-and-test', 'acceptance', 'rollout', 'early-life', 'review']

/** Which fact of a rollout says that its release has come to a step. */
const stepByFact: Readonly<Record<string, StepKey>> = {
  'rollout.started': 'rollout',
  'rollout.completed': 'early-life',
  'rollout.completed-with-residual': 'early-life',
  'rollout.residual-accepted': 'early-life',
  'rollout.backed-out': 'review',
}

/** At which of the six steps a state stands; every step before it is done. */
function stepOf(state: ReleaseState): number {
  if (state === 'building' || state === 'testing') return 1
  if (state === 'accepting' || state === 'authorised') return 2
  if (state === 'rolling-out' || state === 'backing-out') return 3
  if (state === 'early-life') return 4
  if (state === 'backed-out' || state === 'in-review') return 5
  // A cancelled release stands nowhere.
  if (state === 'cancelled') return -1
  return state === 'closed' ? 6 : 0
}

/** A step that lies behind and was never reached was left out; it has no time. */
export function lifecycleOf(record: ReleaseRecord, reached: Reached): ReleaseView['lifecycle'] {
  const now = stepOf(record.state)
  return steps.map((key, at) => ({
    key,
    status: at < now ? 'done' : at === now ? 'now' : 'ahead',
    since: at === now ? record.state_since.toString() : at < now ? (reached[key] ?? null) : null,
  }))
}

/** When a release came to its steps, as the ledger tells: the facts about the rollout itself, never those about its devices. */
export async function reachedSteps(db: Db, record: ReleaseRecord): Promise<Reached> {
  const reached: Partial<Record<StepKey, string>> = { plan: record.created_at.toString() }
  const facts = await db
    .selectFrom('rollout')
    .innerJoin('ledger', (join) =>
      join.on('ledger.subject_kind', '=', 'rollout').on('ledger.subject_id', '=', sql<string>`rollout.id::text`),
    )
    .select(['ledger.did', 'ledger.at'])
    .where('rollout.release_id', '=', record.id)
    .where('ledger.did', 'in', Object.keys(stepByFact))
    .orderBy('ledger.id')
    .execute()
  // The first time counts: a back-out and what follows it do not change when the release began.
  for (const { did, at } of facts) {
    const step = stepByFact[did]
    if (step !== undefined) reached[step] ??= at.toString()
  }
  return reached
}
