import type { SavedViewChange, SavedViewInput, SavedViewView } from '@bascule/contract/estate/saved-view.ts'
import type { PersonId, SavedViewId } from '@bascule/domain/lib/ids.ts'
import { ok } from '@bascule/domain/lib/result.ts'
import type { Db } from '#/platform/db/database.ts'
import type { Call } from '#/platform/http/os.ts'
import { type Fact, record } from '#/platform/ledger/record.ts'
import { notFound, refused, type Answer } from '#/platform/lib/answer.ts'
import { newId } from '#/platform/lib/id.ts'
import { alreadyThere } from '../lib/entity.ts'
import { problemOfQuery } from '../audience/saved-query.service.ts'
import { deleteView, findViewsOf, insertView, lockViewsOf, updateView } from './saved-view.store.ts'
import type { SavedViewRecord } from './saved-view.tables.ts'

/** More tabs than anybody reads. */
const viewsMax = 30

type Shows = NonNullable<SavedViewChange['shows']>

/** A machine has none. */
export async function listSavedViews({ db, actor }: Call): Promise<SavedViewView[]> {
  return actor.kind === 'person' ? (await findViewsOf(db, actor.id as PersonId)).map(viewOf) : []
}

export async function createSavedView(call: Call, input: SavedViewInput): Promise<Answer<SavedViewView>> {
  return await changeOwn(call, async (tx, own, personId) => {
    const problem = problemOfQuery(input.query)
    if (problem) return problem
    if (own.length >= viewsMax) return refused(tooMany)
    if (own.some((view) => isNamed(view, input.name))) return refused(alreadyThere('a view', 'name', input.name))
    const { name, ...shows } = input
    const after = await insertView(tx, {
      id: newId<SavedViewId>(),
      person_id: personId,
      name,
      ...columnsOf(shows),
      created_at: call.now,
    })
    await record(tx, factOf(call, 'saved-view.created', undefined, after))
    return ok(viewOf(after))
  })
}

export async function changeSavedView(
  call: Call,
  { savedViewId, version, name, shows }: SavedViewChange,
): Promise<Answer<SavedViewView>> {
  return await changeOwn(call, async (tx, own) => {
    const before = own.find((view) => view.id === savedViewId)
    if (before === undefined) return notFound('saved view')
    const problem = shows === undefined ? undefined : problemOfQuery(shows.query)
    if (problem) return problem
    if (version !== undefined && version !== before.version) return refused(changedMeanwhile)
    if (name !== undefined && own.some((view) => view.id !== savedViewId && isNamed(view, name))) {
      return refused(alreadyThere('a view', 'name', name))
    }
    const change = { ...(name === undefined ? {} : { name }), ...(shows === undefined ? {} : columnsOf(shows)) }
    const after = await updateView(tx, savedViewId, change)
    await record(tx, factOf(call, 'saved-view.changed', before, after))
    return ok(viewOf(after))
  })
}

export async function deleteSavedView(call: Call, id: SavedViewId): Promise<Answer<SavedViewView>> {
  return await changeOwn(call, async (tx, own) => {
    const before = own.find((view) => view.id === id)
    if (before === undefined) return notFound('saved view')
    await deleteView(tx, id)
    await record(tx, factOf(call, 'saved-view.deleted', before, undefined))
    return ok(viewOf(before))
  })
}

/** Another person's view is not there for the caller, whatever the caller's roles. */
async function changeOwn<Value>(
  { db, actor }: Call,
  change: (tx: Db, own: SavedViewRecord[], personId: PersonId) => Promise<Answer<Value>>,
): Promise<Answer<Value>> {
  if (actor.kind !== 'person') return refused(onlyPeople)
  const personId = actor.id as PersonId
  return await db.transaction().execute(async (tx) => await change(tx, await lockViewsOf(tx, personId), personId))
}

function isNamed(view: SavedViewRecord, name: string): boolean {
  return view.name.toLowerCase() === name.toLowerCase()
}

function columnsOf({ query, order, work, releaseId, columns }: Shows) {
  return { query, device_order: order, work, release_id: releaseId, columns: Array.from(new Set(columns)) }
}

function factOf(call: Call, did: string, before?: SavedViewRecord, after?: SavedViewRecord): Fact {
  const subject = { kind: 'saved-view', id: (after ?? before)?.id ?? '' }
  return {
    actor: call.actor,
    at: call.now,
    did,
    subject,
    before: before && viewOf(before),
    after: after && viewOf(after),
  }
}

function viewOf(row: SavedViewRecord): SavedViewView {
  const { id, name, query, device_order: order, work, release_id: releaseId, columns, version } = row
  return { id, name, query, order, work, releaseId, columns, version, createdAt: row.created_at.toString() }
}

const tooMany = {
  rule: 'saved-views-max',
  fact: `You keep ${viewsMax} views already.`,
  lifter: 'you',
  next: 'Delete a view that you no longer use.',
}

const changedMeanwhile = {
  rule: 'changed-meanwhile',
  fact: 'You changed this view since you looked, perhaps in another window.',
  lifter: 'you',
  next: 'Look at it again and repeat your change if it is still right.',
}

const onlyPeople = {
  rule: 'only-people-keep-views',
  fact: 'A machine has no page to look at.',
  lifter: 'nobody',
  next: 'Give the query to the list of devices instead.',
}
