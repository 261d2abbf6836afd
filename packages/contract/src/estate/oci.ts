import { findStrayEntry } from '@bascule/domain/estate/package/tree-path.ts'
import * as z from 'zod'
import { ociDigest as digest, sha256Hex as hex } from '../device/protocol.ts'
import { packageName, PackageRecipe, VariantWhen, versionText } from './package-spec.ts'

/** Media types of a Bascule package. Any OCI registry carries them; nothing in them is ours but the recipe. */
export const mediaTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  package: 'application/vnd.bascule.package.v1',
  config: 'application/vnd.bascule.package.config.v1+json',
  layer: 'application/vnd.bascule.package.layer.v1.tar',
} as const

/** Bounds of everything that is parsed before its content is known to be good. */
export const limits = {
  indexBytes: 1_000_000,
  manifestBytes: 1_000_000,
  configBytes: 32_000_000,
  layerBytes: 16_000_000_000,
  packageBytes: 64_000_000_000,
  files: 200_000,
  variants: 50,
  modules: 100,
} as const

export const pieceSizeBytes = 1_048_576

const sizeBytes = z.int().min(0).max(limits.packageBytes)
const annotations = z.record(z.string().max(200), z.string().max(2000))

export const annotationNames = {
  title: 'org.opencontainers.image.title',
  version: 'org.opencontainers.image.version',
  vendor: 'org.opencontainers.image.vendor',
  ref: 'org.opencontainers.image.ref.name',
  variant: 'dev.bascule.variant',
  module: 'dev.bascule.module',
} as const

const descriptor = <Type extends string>(mediaType: Type, maxBytes: number) =>
  z.object({ mediaType: z.literal(mediaType), digest, size: z.int().min(1).max(maxBytes) })

/** The image index: one manifest per variant, in the order in which they are tried. Its digest names the version. */
export const PackageIndex = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.literal(mediaTypes.index),
  manifests: z
    .array(
      descriptor(mediaTypes.manifest, limits.manifestBytes).extend({
        platform: z.object({ architecture: z.string().max(60), os: z.string().max(60) }).optional(),
        annotations: annotations.optional(),
      }),
    )
    .min(1)
    .max(limits.variants),
  annotations: annotations.optional(),
})
export type PackageIndex = z.infer<typeof PackageIndex>

/** One variant: the recipe as config, one layer per module. */
export const PackageManifest = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.literal(mediaTypes.manifest),
  artifactType: z.literal(mediaTypes.package),
  config: descriptor(mediaTypes.config, limits.configBytes),
  layers: z
    .array(descriptor(mediaTypes.layer, limits.layerBytes).extend({ annotations: annotations.optional() }))
    .min(1)
    .max(limits.modules),
  annotations: annotations.optional(),
})
export type PackageManifest = z.infer<typeof PackageManifest>

/** A regular file of a module, as it lies on the device after installing. */
export const PackageFile = z.object({
  module: packageName,
  path: z.string().min(1).max(500),
  /** 0o644 (420) or 0o755 (493). */
  mode: z.union([z.literal(0o644), z.literal(0o755)]),
  sizeBytes,
  sha256: hex,
})
export type PackageFile = z.infer<typeof PackageFile>

/** A symbolic link of a module; its target stays inside the tree. */
export const PackageLink = z.object({
  module: packageName,
  path: z.string().min(1).max(500),
  target: z.string().min(1).max(500),
})
export type PackageLink = z.infer<typeof PackageLink>

export const Chunk = z.object({ offset: sizeBytes, sizeBytes: z.int().min(1), sha256: hex })
export type Chunk = z.infer<typeof Chunk>

/**
 * The layer of one module: an uncompressed tar, with two tables over its bytes. Chunks are cut by content, so that
 * versions share them; pieces are cut every `pieceSizeBytes`, so that a bad source is found before the end.
 */
export const PackageLayer = z.object({
  module: packageName,
  digest,
  sizeBytes: z.int().min(1).max(limits.layerBytes),
  chunks: z.object({ algorithm: z.literal('fastcdc-16k-64k-256k-v1'), list: z.array(Chunk).min(1) }),
  pieces: z.object({ sizeBytes: z.literal(pieceSizeBytes), sha256: z.array(hex).min(1) }),
})
export type PackageLayer = z.infer<typeof PackageLayer>

/** The config blob: everything about one variant but its bytes. The index digest signs it, so nothing else has to. */
export const PackageConfig = z
  .object({
    schemaVersion: z.literal(1),
    package: z.object({ name: packageName, vendor: z.string().min(1).max(200), version: versionText }),
    variant: z.object({ id: packageName, when: VariantWhen }),
    /** All variants of the version in order: a registry that carries only some of them is noticed. */
    variants: z.array(packageName).min(1).max(limits.variants),
    recipe: PackageRecipe,
    layers: z.array(PackageLayer).min(1).max(limits.modules),
    files: z.array(PackageFile).max(limits.files),
    links: z.array(PackageLink).max(limits.files),
  })
  .superRefine(({ files, links }, context) => {
    const stray = findStrayEntry([...files, ...links].map(({ path }) => path))
    if (stray) context.addIssue({ code: 'custom', path: ['files'], message: `${stray.path} ${stray.problem}` })
  })
export type PackageConfig = z.infer<typeof PackageConfig>
