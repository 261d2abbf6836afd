import * as z from 'zod'
import { ociDigest } from '../device/protocol.ts'
import { PageInput, pageOf } from '../lib/paging.ts'
import { procedure } from '../lib/procedure.ts'
import { instant } from '../lib/time.ts'
import { PackageLayer } from './oci.ts'
import { packageName, PackageModule, PackageRecipe, VariantWhen, versionText } from './package-spec.ts'

export const versionStates = ['active', 'retired'] as const

export const VersionSummary = z.object({
  version: z.string(),
  state: z.enum(versionStates),
  /** The index digest and its length: what a release pins. */
  index: z.object({ digest: ociDigest, sizeBytes: z.int() }),
  /** Bytes of everything the version consists of, each blob once. */
  sizeBytes: z.int(),
  fileCount: z.int(),
  variants: z.array(z.string()),
  uploadedBy: z.string(),
  uploadedAt: instant,
  retiredAt: instant.nullable(),
})
export type VersionSummary = z.infer<typeof VersionSummary>

export const PackageSummary = z.object({
  name: z.string(),
  vendor: z.string(),
  class: z.string(),
  versionCount: z.int(),
  /** The version that was uploaded last. */
  latest: VersionSummary,
})
export type PackageSummary = z.infer<typeof PackageSummary>

/** The versions are sorted by version, the newest first. */
export const PackageView = PackageSummary.omit({ versionCount: true }).extend({ versions: z.array(VersionSummary) })
export type PackageView = z.infer<typeof PackageView>

export const ModuleView = PackageModule.extend({
  digest: ociDigest,
  sizeBytes: z.int(),
  fileCount: z.int(),
  chunkCount: z.int(),
})
export type ModuleView = z.infer<typeof ModuleView>

export const VariantView = z.object({
  id: z.string(),
  when: VariantWhen,
  manifestDigest: ociDigest,
  sizeBytes: z.int(),
  fileCount: z.int(),
  modules: z.array(ModuleView),
  recipe: PackageRecipe,
})
export type VariantView = z.infer<typeof VariantView>

export const VersionView = VersionSummary.extend({
  name: z.string(),
  vendor: z.string(),
  class: z.string(),
  variants: z.array(VariantView),
})
export type VersionView = z.infer<typeof VersionView>

export const FileView = z.object({
  variant: z.string(),
  module: z.string(),
  path: z.string(),
  /** 420 (0644) or 493 (0755); null for a link, as are size and hash. */
  mode: z.int().nullable(),
  sizeBytes: z.int().nullable(),
  sha256: z.string().nullable(),
  linkTarget: z.string().nullable(),
})
export type FileView = z.infer<typeof FileView>

/** What an upload answers. */
export const UploadedView = z.object({ name: z.string(), version: z.string(), indexDigest: ociDigest })
export type UploadedView = z.infer<typeof UploadedView>

/** Where a browser sends the tar that `bascule pack --out` writes, as `application/x-tar`. */
export const importPath = '/api/library/import'

const versionOf = z.object({ name: packageName, version: versionText })

export const library = {
  listPackages: procedure
    .meta({ permission: 'library.read' })
    .route({ method: 'GET', path: '/estate/packages', summary: 'List the packages of the library' })
    .input(PageInput.extend({ search: z.string().trim().max(100).optional() }))
    .output(pageOf(PackageSummary)),
  getPackage: procedure
    .meta({ permission: 'library.read' })
    .route({ method: 'GET', path: '/estate/packages/{name}', summary: 'Show a package and its versions' })
    .input(z.object({ name: packageName }))
    .output(PackageView),
  getVersion: procedure
    .meta({ permission: 'library.read' })
    .route({
      method: 'GET',
      path: '/estate/packages/{name}/versions/{version}',
      summary: 'Show a version: variants, modules and recipe',
    })
    .input(versionOf)
    .output(VersionView),
  listFiles: procedure
    .meta({ permission: 'library.read' })
    .route({
      method: 'GET',
      path: '/estate/packages/{name}/versions/{version}/files',
      summary: 'List the files that a version installs, by variant and path',
    })
    .input(PageInput.extend(versionOf.shape).extend({ variant: packageName.optional() }))
    .output(pageOf(FileView)),
  getLayers: procedure
    .meta({ permission: 'library.read' })
    .route({
      method: 'GET',
      path: '/estate/packages/{name}/versions/{version}/variants/{variant}/layers',
      summary: 'Show the chunks and pieces of the layers of a variant',
    })
    .input(versionOf.extend({ variant: packageName }))
    .output(z.array(PackageLayer)),
  retireVersion: procedure
    .meta({ permission: 'library.retire' })
    .route({
      method: 'POST',
      path: '/estate/packages/{name}/versions/{version}/retire',
      summary: 'Take a version out of new plans; it keeps its digest and its bytes',
    })
    .input(versionOf)
    .output(VersionView),
}
