import type { PersonId, ReleaseId } from '@bascule/domain/lib/ids.ts'
import { ok } from '@bascule/domain/lib/result.ts'
import type { Db } from '#/platform/db/database.ts'
import type { Call } from '#/platform/http/os.ts'
import { record } from '#/platform/ledger/record.ts'
import { notFound, refused, type Answer } from '#/platform/lib/answer.ts'
import { findRelease } from '../release/release.service.ts'
import { deletePin, findPinned, insertPin, lockPinned } from './pinned-release.store.ts'
import '#/estate/person/person.tables.ts'

/** What stands under the navigation without scrolling. */
const pinsMax = 12

type Pinned = Answer<{ releaseId: ReleaseId }>

/** The releases that the caller keeps at hand; a machine keeps none. */
export async function listPinned({ db, actor }: Call): Promise<string[]> {
  return actor.kind === 'person' ? await findPinned(db, actor.id as PersonId) : []
}

/** Pinning twice is no error and no second fact. */
export async function pinRelease(call: Call, releaseId: ReleaseId): Promise<Pinned> {
  return await changePins(call, async (tx, pinned, personId) => {
    const release = await findRelease(tx, releaseId)
    if (release === undefined) return notFound('release')
    if (pinned.includes(releaseId)) return ok({ releaseId })
    if (pinned.length >= pinsMax) return refused(tooMany)
    await insertPin(tx, personId, releaseId, call.now)
    await recordPin(tx, call, releaseId, 'release.pinned')
    return ok({ releaseId })
  })
}

export async function unpinRelease(call: Call, releaseId: ReleaseId): Promise<Pinned> {
  return await changePins(call, async (tx, pinned, personId) => {
    if (!pinned.includes(releaseId)) return ok({ releaseId })
    await deletePin(tx, personId, releaseId)
    await recordPin(tx, call, releaseId, 'release.unpinned')
    return ok({ releaseId })
  })
}

async function changePins(
  { db, actor }: Call,
  change: (tx: Db, pinned: string[], personId: PersonId) => Promise<Pinned>,
): Promise<Pinned> {
  if (actor.kind !== 'person') return refused(onlyPeople)
  const personId = actor.id as PersonId
  return await db.transaction().execute(async (tx) => await change(tx, await lockPinned(tx, personId), personId))
}

/** The subject is the pin and not the release: nothing about the release has changed, and its own story stays free of it. */
async function recordPin(tx: Db, { actor, now }: Call, releaseId: ReleaseId, did: string): Promise<void> {
  const subject = { kind: 'pinned-release', id: `${actor.id}/${releaseId}` }
  await record(tx, { actor, at: now, did, subject, after: { name: releaseId } })
}

const tooMany = {
  rule: 'pinned-releases-max',
  fact: `You have pinned ${pinsMax} releases already.`,
  lifter: 'you',
  next: 'Unpin one that you no longer follow.',
}

const onlyPeople = {
  rule: 'only-people-pin',
  fact: 'A machine has nothing at hand.',
  lifter: 'nobody',
  next: 'Ask for the release by its id.',
}
