import type { ModuleView, VariantView } from '@bascule/contract/estate/library.ts'
import type { PackageId } from '@bascule/domain/lib/ids.ts'
import type { ColumnType } from 'kysely'

/** A variant as `package_version.spec` keeps it: everything but its files and chunk tables. */
export type StoredVariant = VariantView & { readonly modules: readonly ModuleView[]; readonly configDigest: string }

interface PackageTable {
  id: PackageId
  name: string
  vendor: string
  class: string
  created_at: Temporal.Instant
}

export interface PackageVersionTable {
  id: string
  package_id: PackageId
  version: string
  index_digest: string
  index_size_bytes: number
  size_bytes: number
  file_count: number
  state: 'active' | 'retired'
  spec: ColumnType<{ readonly variants: readonly StoredVariant[] }, string, never>
  uploaded_by_kind: string
  uploaded_by_id: string
  uploaded_by_name: string
  uploaded_at: Temporal.Instant
  retired_at: Temporal.Instant | null
}

export interface PackageFileTable {
  version_id: string
  variant: string
  path: string
  module: string
  mode: number | null
  size_bytes: number | null
  sha256: string | null
  link_target: string | null
}

interface BlobTable {
  digest: string
  media_type: string
  size_bytes: number
  stored_at: Temporal.Instant
}

declare module '#/platform/db/database.ts' {
  interface Database {
    package: PackageTable
    package_version: PackageVersionTable
    package_file: PackageFileTable
    blob: BlobTable
    package_version_blob: { version_id: string; digest: string }
  }
}
