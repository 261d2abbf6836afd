import type { InputProblem } from '@bascule/contract/lib/errors.ts'
import type { ReleasePlan } from '@bascule/contract/plan/release.ts'
import { parseQuery } from '@bascule/domain/estate/query/parse-query.ts'
import { ok } from '@bascule/domain/lib/result.ts'
import { findProductLine } from '#/estate/product-line/product-line.service.ts'
import type { Db } from '#/platform/db/database.ts'
import { readWithin } from '#/platform/db/read-within.ts'
import { record } from '#/platform/ledger/record.ts'
import type { ReleaseId } from '@bascule/domain/lib/ids.ts'
import type { Call } from '#/platform/http/os.ts'
import { allow } from '#/platform/lib/actor.ts'
import { badInput, notFound, refused, type Answer } from '#/platform/lib/answer.ts'
import { placeAudience, previewFrom } from './membership.ts'
import { insertRelease, lockRelease, setReleaseState, updatePlan, type ReleaseRecord } from './release.store.ts'

// The wings to the right act on a release through these, inside their own transaction.
export { findFrozenMembers, findRelease, lockRelease, setReleaseState } from './release.store.ts'
export type { ReleaseRecord } from './release.store.ts'

/**
 * Plans a release. Nothing is promised yet: packages and audience are looked at again when it starts. A plan may reach
 * devices everywhere, so a role for one site or org unit is not enough, here as for the rollout that follows.
 */
export async function createRelease({ db, actor, now }: Call, plan: ReleasePlan): Promise<Answer<ReleaseId>> {
  const allowed = allow(actor, 'release.write', {})
  if (!allowed.ok) return allowed
  return await db.transaction().execute(async (tx) => {
    const problem = await problemOfPlan(tx, plan)
    if (problem) return problem
    const id = (await insertRelease(tx, plan, actor, now.toString())) as ReleaseId
    await record(tx, {
      actor,
      at: now,
      did: 'release.planned',
      subject: { kind: 'release', id },
      releaseId: id,
      after: plan,
    })
    return ok(id)
  })
}

export async function changeRelease(
  { db, actor, now }: Call,
  id: ReleaseId,
  plan: ReleasePlan,
): Promise<Answer<ReleaseId>> {
  const allowed = allow(actor, 'release.write', {})
  if (!allowed.ok) return allowed
  return await db.transaction().execute(async (tx) => {
    const release = await lockRelease(tx, id)
    if (!release) return notFound('release')
    if (!isChangeable(release)) return alreadyStarted(release)
    const problem = await problemOfPlan(tx, plan)
    if (problem) return problem
    await updatePlan(tx, id, plan, now.toString())
    const subject = { kind: 'release', id }
    await record(tx, {
      actor,
      at: now,
      did: 'release.changed',
      subject,
      releaseId: id,
      before: release.plan,
      after: plan,
    })
    return ok(id)
  })
}

export async function cancelRelease(
  { db, actor, now }: Call,
  id: ReleaseId,
  reason: string,
): Promise<Answer<ReleaseId>> {
  const allowed = allow(actor, 'release.write', {})
  if (!allowed.ok) return allowed
  return await db.transaction().execute(async (tx) => {
    const release = await lockRelease(tx, id)
    if (!release) return notFound('release')
    if (!isChangeable(release)) return alreadyStarted(release)
    await setReleaseState(tx, id, 'cancelled', now.toString())
    const subject = { kind: 'release', id }
    await record(tx, {
      actor,
      at: now,
      did: 'release.cancelled',
      subject,
      releaseId: id,
      before: { state: release.state },
      after: { reason },
    })
    return ok(id)
  })
}

function isChangeable(release: ReleaseRecord): boolean {
  return release.state === 'draft' || release.state === 'planned'
}

function alreadyStarted(release: ReleaseRecord) {
  return refused({
    rule: 'release-already-started',
    fact: `${release.id} is ${release.state}; its plan is fixed.`,
    lifter: 'nobody',
    next: 'Plan a new release, or pause and back out this one.',
  })
}

type Reach = Pick<ReleasePlan, 'audience' | 'phases'>

/** How many devices a plan would reach now. A query that is not one yet, as while somebody types it, is a bad input. */
export async function previewPlan(
  { db }: Pick<Call, 'db'>,
  plan: Reach,
): Promise<Answer<ReturnType<typeof previewFrom>>> {
  const problems = problemsOfQueries(plan)
  if (problems.length > 0) return badInput(...problems)
  const placed = await readWithin(db, async (tx) => await placeAudience(tx, plan.audience.query, plan.phases))
  return placed.ok ? ok(previewFrom(placed.value, plan.phases)) : placed
}

/** What makes a plan unusable whatever the fleet looks like. */
async function problemOfPlan(tx: Db, plan: ReleasePlan): Promise<ReturnType<typeof badInput> | undefined> {
  const problems = problemsOfQueries(plan)
  if (!(await findProductLine(tx, plan.productLine))) {
    problems.push({ field: 'productLine', problem: `there is no product line ${plan.productLine}` })
  }
  return problems.length > 0 ? badInput(...problems) : undefined
}

function problemsOfQueries({ audience, phases }: Reach): InputProblem[] {
  const queries = [
    { field: 'audience.query', text: audience.query },
    ...phases.map((phase, at) => ({ field: `phases.${at}.query`, text: phase.query })),
  ]
  return queries.flatMap(({ field, text }) => {
    const parsed = parseQuery(text)
    return parsed.ok ? [] : [{ field, problem: `${parsed.error.message} (at character ${parsed.error.at + 1})` }]
  })
}
