import { ReleasePlan, releaseStates } from '@bascule/contract/plan/release.ts'
import { assert } from '@bascule/domain/lib/result.ts'
import { releasePath } from '@bascule/domain/plan/release-moves.ts'
import { sql, type Selectable } from 'kysely'
import type { Db } from '#/platform/db/database.ts'
import type { ActorName } from '#/platform/lib/actor.ts'
import { type Cursor, decodeCursor } from '#/platform/lib/keyset.ts'
import type { FrozenPhase, PinnedPackage } from './manifest.ts'
import type { ReleaseTable } from './release.tables.ts'

export type ReleaseState = (typeof releaseStates)[number]
type ReleaseRow = Omit<Selectable<ReleaseTable>, 'members'>
export type ReleaseRecord = Omit<ReleaseRow, 'plan'> & { readonly plan: ReleasePlan }

/** All but `members`, which has a byte for every device and is read by who needs it. */
const columns = [
  'id',
  'title',
  'version',
  'product_line',
  'objective',
  'state',
  'state_since',
  'plan',
  'owner_id',
  'owner_name',
  'counter',
  'manifest_sha256',
  'manifest_size_bytes',
  'frozen_phases',
  'packages_pinned',
  'audience',
  'created_at',
  'updated_at',
] as const

function recordFrom(row: ReleaseRow): ReleaseRecord {
  return { ...row, plan: ReleasePlan.parse(row.plan) }
}

export async function insertRelease(tx: Db, plan: ReleasePlan, owner: ActorName, now: string): Promise<string> {
  const row = await tx
    .insertInto('release')
    .values({
      ...columnsFrom(plan),
      state: 'draft',
      state_since: now,
      owner_id: owner.id,
      owner_name: owner.name,
      created_at: now,
      updated_at: now,
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  return row.id
}

export async function updatePlan(tx: Db, id: string, plan: ReleasePlan, now: string): Promise<void> {
  await tx
    .updateTable('release')
    .set({ ...columnsFrom(plan), updated_at: now })
    .where('id', '=', id)
    .execute()
}

function columnsFrom(plan: ReleasePlan) {
  const { title, version, productLine, objective } = plan
  return { title, version, product_line: productLine, objective, plan: JSON.stringify(plan) }
}

export async function findRelease(db: Db, id: string): Promise<ReleaseRecord | undefined> {
  const row = await db.selectFrom('release').select(columns).where('id', '=', id).executeTakeFirst()
  return row && recordFrom(row)
}

export async function findReleases(db: Db, ids: readonly string[]): Promise<ReleaseRecord[]> {
  if (ids.length === 0) return []
  return (await db.selectFrom('release').select(columns).where('id', 'in', ids).execute()).map(recordFrom)
}

export async function lockRelease(tx: Db, id: string): Promise<ReleaseRecord | undefined> {
  const row = await tx.selectFrom('release').select(columns).where('id', '=', id).forUpdate().executeTakeFirst()
  return row && recordFrom(row)
}

/** Moves a release along its machine. A caller has looked before whether it may; here it cannot go astray. */
export async function setReleaseState(tx: Db, id: string, state: ReleaseState, now: string): Promise<void> {
  const from = releaseStates.filter((one) => releasePath(one, state) !== undefined)
  const { numUpdatedRows } = await tx
    .updateTable('release')
    .set({ state, state_since: now, updated_at: now })
    .where('id', '=', id)
    .where('state', 'in', from)
    .executeTakeFirst()
  assert(numUpdatedRows === 1n, `the release ${id} may become ${state} from where it is`)
}

/** What is fixed while a board is asked, and from then on when it agrees. */
export interface FrozenParts {
  readonly counter: number
  readonly manifestSha256: string
  readonly manifestSizeBytes: number
  readonly members: Uint8Array
  readonly audience: number
  readonly phases: readonly FrozenPhase[]
  readonly packages: readonly PinnedPackage[]
}

export async function writeFrozen(tx: Db, id: string, frozen: FrozenParts | null): Promise<void> {
  await tx
    .updateTable('release')
    .set({
      counter: frozen?.counter ?? null,
      manifest_sha256: frozen?.manifestSha256 ?? null,
      manifest_size_bytes: frozen?.manifestSizeBytes ?? null,
      members: frozen ? Buffer.from(frozen.members) : null,
      frozen_phases: frozen ? JSON.stringify(frozen.phases) : null,
      packages_pinned: frozen ? JSON.stringify(frozen.packages) : null,
      audience: frozen?.audience ?? null,
    })
    .where('id', '=', id)
    .execute()
}

/** The phase of each fleet index as it was frozen; undefined while nothing is. */
export async function findFrozenMembers(db: Db, id: string): Promise<Uint8Array | undefined> {
  const row = await db.selectFrom('release').select('members').where('id', '=', id).executeTakeFirst()
  return row?.members ?? undefined
}

export interface ReleaseFilter {
  readonly after?: string | undefined
  readonly limit: number
  readonly state?: ReleaseState | undefined
  readonly search?: string | undefined
}

/** Newest first; one row more than asked, so that the caller knows whether there is another page. */
export async function listReleases(db: Db, filter: ReleaseFilter): Promise<ReleaseRecord[]> {
  const cursor = decodeCursor(filter.after)
  let query = db
    .selectFrom('release')
    .select(columns)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(filter.limit + 1)
  if (filter.state) query = query.where('state', '=', filter.state)
  if (filter.search) {
    const pattern = `%${filter.search.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`
    query = query.where((eb) =>
      eb.or([eb('title', 'ilike', pattern), eb('id', 'ilike', pattern), eb('version', 'ilike', pattern)]),
    )
  }
  if (cursor) {
    query = query.where(sql<boolean>`(created_at, id) < (${cursor.key}::timestamptz, ${cursor.id})`)
  }
  return (await query.execute()).map(recordFrom)
}

export function releaseCursor(row: ReleaseRecord): Cursor {
  return { key: row.created_at.toString(), id: row.id }
}
