import type { BlobStore } from '@bascule/content/blobs/blob-store.ts'
import type {
  FileView,
  PackageSummary,
  PackageView,
  VersionSummary,
  VersionView,
} from '@bascule/contract/estate/library.ts'
import { PackageConfig, type PackageLayer } from '@bascule/contract/estate/oci.ts'
import type { Page } from '@bascule/contract/lib/paging.ts'
import { compareVersions } from '@bascule/domain/estate/package/version.ts'
import { assert, ok } from '@bascule/domain/lib/result.ts'
import { buffer } from 'node:stream/consumers'
import type { Db } from '#/platform/db/database.ts'
import type { Call } from '#/platform/http/os.ts'
import { record } from '#/platform/ledger/record.ts'
import { notFound, refused, type Answer } from '#/platform/lib/answer.ts'
import { pageFrom } from '#/platform/lib/keyset.ts'
import {
  findFiles,
  findPackages,
  findVersion,
  findVersions,
  lockVersion,
  setRetired,
  type FileRow,
  type VersionRow,
} from './library.store.ts'

export interface ActiveVersion {
  readonly versionId: string
  readonly indexDigest: string
  readonly indexSizeBytes: number
}

/** The version as a release may pin it; undefined when there is none or it was retired. */
export async function findActiveVersion(db: Db, name: string, version: string): Promise<ActiveVersion | undefined> {
  const row = await findVersion(db, name, version)
  if (row?.state !== 'active') return undefined
  return { versionId: row.id, indexDigest: row.index_digest, indexSizeBytes: row.index_size_bytes }
}

export async function listPackages(
  db: Db,
  filter: { after?: string | undefined; search?: string | undefined; limit: number },
): Promise<Page<PackageSummary>> {
  const rows = await findPackages(db, filter)
  return pageFrom(
    rows,
    filter.limit,
    (row) => ({ key: row.name, id: row.package_id }),
    (row) => ({ ...packageFrom(row), versionCount: Number(row.version_count), latest: summaryFrom(row) }),
  )
}

export async function getPackage(db: Db, name: string): Promise<Answer<PackageView>> {
  const rows = await findVersions(db, name)
  const [latest] = rows
  if (!latest) return notFound('package')
  const versions = rows.map(summaryFrom).toSorted((a, b) => compareVersions(b.version, a.version))
  return ok({ ...packageFrom(latest), latest: summaryFrom(latest), versions })
}

export async function getVersion(db: Db, name: string, version: string): Promise<Answer<VersionView>> {
  const row = await findVersion(db, name, version)
  return row ? ok(versionFrom(row)) : notFound('version')
}

export async function listFiles(
  db: Db,
  name: string,
  version: string,
  filter: { after?: string | undefined; variant?: string | undefined; limit: number },
): Promise<Answer<Page<FileView>>> {
  const row = await findVersion(db, name, version)
  if (!row) return notFound('version')
  const files = await findFiles(db, row.id, filter)
  return ok(pageFrom(files, filter.limit, (file) => ({ key: file.path, id: file.variant }), fileFrom))
}

/** The chunk and piece tables of a variant, from its config blob: they are large, so the database does not keep them. */
export async function getLayers(
  services: { readonly db: Db; readonly blobs: BlobStore },
  name: string,
  version: string,
  variantId: string,
): Promise<Answer<PackageLayer[]>> {
  const row = await findVersion(services.db, name, version)
  const variant = row?.spec.variants.find(({ id }) => id === variantId)
  if (!variant) return notFound('variant')
  const stream = await services.blobs.open(variant.configDigest)
  assert(stream, `the config ${variant.configDigest} of a registered version is stored`)
  return ok(PackageConfig.parse(JSON.parse((await buffer(stream)).toString('utf8'))).layers)
}

/** Takes a version out of new plans. What runs it goes on, and its digest means the same for ever. */
export async function retireVersion(call: Call, name: string, version: string): Promise<Answer<VersionView>> {
  const { actor, now } = call
  return await call.db.transaction().execute(async (tx) => {
    const row = await lockVersion(tx, name, version)
    if (!row) return notFound('version')
    if (row.state === 'retired') {
      return refused({
        rule: 'version-already-retired',
        fact: `${name} ${version} was retired at ${row.retired_at?.toString() ?? ''}.`,
        lifter: 'nobody',
        next: 'Upload a newer version.',
      })
    }
    await setRetired(tx, row.id, now)
    const subject = { kind: 'package-version', id: row.id }
    const before = { name, version, state: 'active' }
    const after = { name, version, state: 'retired' }
    await record(tx, { actor, at: now, did: 'package-version.retired', subject, before, after })
    return ok(versionFrom({ ...row, state: 'retired', retired_at: now }))
  })
}

function packageFrom({ name, vendor, class: kind }: VersionRow) {
  return { name, vendor, class: kind }
}

function summaryFrom(row: VersionRow): VersionSummary {
  return {
    version: row.version,
    state: row.state,
    index: { digest: row.index_digest, sizeBytes: row.index_size_bytes },
    sizeBytes: row.size_bytes,
    fileCount: row.file_count,
    variants: row.spec.variants.map(({ id }) => id),
    uploadedBy: row.uploaded_by_name,
    uploadedAt: row.uploaded_at.toString(),
    retiredAt: row.retired_at?.toString() ?? null,
  }
}

function versionFrom(row: VersionRow): VersionView {
  return {
    ...packageFrom(row),
    ...summaryFrom(row),
    variants: row.spec.variants.map(({ configDigest: _configDigest, ...variant }) => variant),
  }
}

function fileFrom(row: FileRow): FileView {
  return {
    variant: row.variant,
    module: row.module,
    path: row.path,
    mode: row.mode,
    sizeBytes: row.size_bytes,
    sha256: row.sha256,
    linkTarget: row.link_target,
  }
}
