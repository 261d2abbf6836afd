import type { BlobRef } from '@bascule/content/oci/layout.ts'
import type { PackageId } from '@bascule/domain/lib/ids.ts'
import { sql } from 'kysely'
import type { Insertable, Selectable } from 'kysely'
import type { Db } from '#/platform/db/database.ts'
import { newId } from '#/platform/lib/id.ts'
import { decodeCursor } from '#/platform/lib/keyset.ts'
import type { PackageFileTable, PackageVersionTable } from './library.tables.ts'

export type VersionRow = Selectable<PackageVersionTable> & {
  readonly name: string
  readonly vendor: string
  readonly class: string
}
export type FileRow = Selectable<PackageFileTable>

/** PostgreSQL takes 65,535 parameters at a time; a file has eight. */
const filesAtOnce = 5000

/** The package of this name, made when it is new, and locked, so that two uploads of a version cannot race. */
export async function lockPackage(
  tx: Db,
  { name, vendor, class: kind }: { readonly name: string; readonly vendor: string; readonly class: string },
  now: Temporal.Instant,
): Promise<PackageId> {
  await tx
    .insertInto('package')
    .values({ id: newId<PackageId>(), name, vendor, class: kind, created_at: now })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute()
  const row = await tx.selectFrom('package').select('id').where('name', '=', name).forUpdate().executeTakeFirstOrThrow()
  return row.id
}

/**
 * Until the transaction ends, no blob that lies there now is deleted while a version is made of it: whoever registers
 * shares the lock with others who do, and whoever deletes has it alone.
 */
export async function lockLibrary(tx: Db, purpose: 'to-register' | 'to-delete'): Promise<void> {
  const key = sql`hashtextextended('bascule library', 0)`
  await (
    purpose === 'to-delete'
      ? sql`select pg_advisory_xact_lock(${key})`
      : sql`select pg_advisory_xact_lock_shared(${key})`
  ).execute(tx)
}

export async function insertVersion(tx: Db, row: Insertable<PackageVersionTable>): Promise<void> {
  await tx.insertInto('package_version').values(row).execute()
}

export async function insertFiles(tx: Db, rows: readonly Insertable<PackageFileTable>[]): Promise<void> {
  for (let from = 0; from < rows.length; from += filesAtOnce) {
    await tx
      .insertInto('package_file')
      .values(rows.slice(from, from + filesAtOnce))
      .execute()
  }
}

/** Ties the version to its blobs; from now on nobody deletes them. */
export async function insertBlobs(
  tx: Db,
  versionId: string,
  blobs: readonly BlobRef[],
  now: Temporal.Instant,
): Promise<void> {
  const rows = blobs.map(({ digest, mediaType, size }) => ({
    digest,
    media_type: mediaType,
    size_bytes: size,
    stored_at: now,
  }))
  await tx
    .insertInto('blob')
    .values(rows)
    .onConflict((conflict) => conflict.column('digest').doNothing())
    .execute()
  await tx
    .insertInto('package_version_blob')
    .values(blobs.map(({ digest }) => ({ version_id: versionId, digest })))
    .execute()
}

/** The packages by name, each with the version that was uploaded last and how many there are. */
export async function findPackages(
  db: Db,
  filter: { after?: string | undefined; search?: string | undefined; limit: number },
) {
  const after = decodeCursor(filter.after)
  let query = db
    .selectFrom('package')
    .innerJoinLateral(
      (lateral) =>
        lateral
          .selectFrom('package_version')
          .selectAll()
          .whereRef('package_version.package_id', '=', 'package.id')
          .orderBy('uploaded_at', 'desc')
          .orderBy('id', 'desc')
          .limit(1)
          .as('latest'),
      (join) => join.onTrue(),
    )
    .selectAll('latest')
    .select(['package.name', 'package.vendor', 'package.class'])
    .select((eb) =>
      eb
        .selectFrom('package_version as v')
        .select((inner) => inner.fn.countAll<number>().as('versions'))
        .whereRef('v.package_id', '=', 'package.id')
        .as('version_count'),
    )
  if (filter.search) query = query.where(sql<boolean>`strpos(package.name, lower(${filter.search})) > 0`)
  if (after) query = query.where('package.name', '>', after.key)
  return await query
    .orderBy('package.name')
    .limit(filter.limit + 1)
    .execute()
}

function versionsOf(db: Db) {
  return db
    .selectFrom('package_version')
    .innerJoin('package', 'package.id', 'package_version.package_id')
    .selectAll('package_version')
    .select(['package.name', 'package.vendor', 'package.class'])
}

export async function findVersions(db: Db, name: string): Promise<VersionRow[]> {
  return await versionsOf(db)
    .where('package.name', '=', name)
    .orderBy('uploaded_at', 'desc')
    .orderBy('package_version.id', 'desc')
    .execute()
}

export async function findVersion(db: Db, name: string, version: string): Promise<VersionRow | undefined> {
  return await versionsOf(db)
    .where('package.name', '=', name)
    .where('package_version.version', '=', version)
    .executeTakeFirst()
}

/** The same, locked for a change. */
export async function lockVersion(tx: Db, name: string, version: string): Promise<VersionRow | undefined> {
  return await versionsOf(tx)
    .where('package.name', '=', name)
    .where('package_version.version', '=', version)
    .forUpdate('package_version')
    .executeTakeFirst()
}

export async function setRetired(tx: Db, versionId: string, now: Temporal.Instant): Promise<void> {
  await tx
    .updateTable('package_version')
    .set({ state: 'retired', retired_at: now })
    .where('id', '=', versionId)
    .execute()
}

export async function findFiles(
  db: Db,
  versionId: string,
  filter: { after?: string | undefined; variant?: string | undefined; limit: number },
): Promise<FileRow[]> {
  const after = decodeCursor(filter.after)
  let query = db.selectFrom('package_file').selectAll().where('version_id', '=', versionId)
  if (filter.variant !== undefined) query = query.where('variant', '=', filter.variant)
  if (after) query = query.where(sql<boolean>`(variant, path) > (${after.id}, ${after.key})`)
  return await query
    .orderBy('variant')
    .orderBy('path')
    .limit(filter.limit + 1)
    .execute()
}

/** Whether some version consists of this blob. */
export async function isBlobUsed(db: Db, digest: string): Promise<boolean> {
  const row = await db.selectFrom('blob').select('digest').where('digest', '=', digest).executeTakeFirst()
  return row !== undefined
}
