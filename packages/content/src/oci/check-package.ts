import { createHash } from 'node:crypto'
import {
  annotationNames,
  limits,
  mediaTypes,
  PackageConfig,
  PackageIndex,
  PackageManifest,
  type PackageLayer,
} from '@bascule/contract/estate/oci.ts'
import { ok, refuse, type Result } from '@bascule/domain/lib/result.ts'
import type * as z from 'zod'
import { createChunker } from './chunker.ts'
import { digestOf, parseJson, type BlobRef } from './layout.ts'
import type { PackageProblem } from './package-problem.ts'
import { createPieceHasher } from './piece-hasher.ts'
import { unpackLayer, type ExpectedLayer, type LayerWriter } from './unpack.ts'

/** Where the blobs of a package lie. */
export interface BlobSource {
  stat(digest: string): Promise<{ readonly sizeBytes: number } | undefined>
  open(digest: string): Promise<AsyncIterable<Uint8Array>>
}

export interface CheckedVariant {
  readonly manifest: BlobRef
  readonly config: PackageConfig
  readonly configDigest: string
}

export interface CheckedPackage {
  readonly name: string
  readonly vendor: string
  readonly version: string
  readonly index: BlobRef
  readonly variants: readonly CheckedVariant[]
  /** Everything the package consists of but the index itself, each digest once. */
  readonly blobs: readonly BlobRef[]
  /** Bytes of all different blobs, the index included. */
  readonly sizeBytes: number
}

/**
 * Checks a whole package, down to every byte of every file: what a device will be told is what the blobs hold. Stops
 * at the first thing that is wrong, because nothing after it can be trusted to mean anything.
 */
export async function checkPackage(
  source: BlobSource,
  indexDigest: string,
): Promise<Result<CheckedPackage, PackageProblem[]>> {
  const index = await readJsonBlob(source, { digest: indexDigest }, 'index', PackageIndex, limits.indexBytes)
  if (!index.ok) return index
  const variants: CheckedVariant[] = []
  const blobs = new Map<string, BlobRef>()
  for (const descriptor of index.value.value.manifests) {
    const { mediaType, digest, size } = descriptor
    const variant = await checkVariant(source, { mediaType, digest, size }, blobs)
    if (!variant.ok) return variant
    if (descriptor.annotations?.[annotationNames.variant] !== variant.value.config.variant.id) {
      return invalid(`index manifests.${variants.length}`, 'does not name the variant that its config describes')
    }
    variants.push(variant.value)
  }
  const problem = problemOfVersion(index.value.value, variants)
  if (problem) return refuse([problem])
  const { name, vendor, version } = packageOf(variants)
  const ref = { mediaType: mediaTypes.index, digest: indexDigest, size: index.value.sizeBytes }
  const sizeBytes = [...blobs.values()].reduce((sum, blob) => sum + blob.size, ref.size)
  return ok({ name, vendor, version, index: ref, variants, blobs: [...blobs.values()], sizeBytes })
}

/** Checks one manifest with its config and layers, and adds what it consists of to `blobs`. */
async function checkVariant(
  source: BlobSource,
  ref: BlobRef,
  blobs: Map<string, BlobRef>,
): Promise<Result<CheckedVariant, PackageProblem[]>> {
  const manifest = await readJsonBlob(source, ref, `manifest ${ref.digest}`, PackageManifest, limits.manifestBytes)
  if (!manifest.ok) return manifest
  const { config: configRef, layers } = manifest.value.value
  const config = await readJsonBlob(source, configRef, `config ${configRef.digest}`, PackageConfig, limits.configBytes)
  if (!config.ok) return config

  const listed = config.value.value.layers.map((layer) => `${layer.digest} ${layer.sizeBytes}`)
  const carried = layers.map((layer) => `${layer.digest} ${layer.size}`)
  if (listed.join('\n') !== carried.join('\n')) {
    return invalid(`manifest ${ref.digest} layers`, 'are not the layers that the config lists, in its order')
  }
  const problem = problemOfLists(config.value.value)
  if (problem) return refuse([problem])
  for (const layer of config.value.value.layers) {
    // The same layer in two variants may be listed with different files, so each listing is checked.
    const layerProblem = await checkLayer(source, layer, config.value.value)
    if (layerProblem) return refuse([layerProblem])
  }
  for (const { mediaType, digest, size } of [ref, configRef, ...layers]) blobs.set(digest, { mediaType, digest, size })
  return ok({ manifest: ref, config: config.value.value, configDigest: configRef.digest })
}

/** Modules, layers and files of one config must speak of the same things, and each path must come once. */
function problemOfLists(config: PackageConfig): PackageProblem | undefined {
  const field = `variant ${config.variant.id}`
  const modules = config.recipe.modules.map((module) => module.name).toSorted()
  const layers = config.layers.map((layer) => layer.module).toSorted()
  if (new Set(modules).size !== modules.length || modules.join(' ') !== layers.join(' ')) {
    return { rule: 'invalid-field', field: `${field} layers`, problem: 'are not one for each module' }
  }
  const seen = new Set<string>()
  for (const { module, path } of [...config.files, ...config.links]) {
    if (!modules.includes(module)) {
      return {
        rule: 'file-list',
        field: `${field} ${path}`,
        problem: `belongs to module ${module}, which is not there`,
      }
    }
    if (seen.has(path)) return { rule: 'duplicate-file', field: `${field} ${path}`, problem: 'is listed twice' }
    seen.add(path)
  }
  return undefined
}

function problemOfVersion(index: PackageIndex, variants: readonly CheckedVariant[]): PackageProblem | undefined {
  const { name, version } = packageOf(variants)
  const invalidField = (field: string, problem: string): PackageProblem => ({ rule: 'invalid-field', field, problem })
  if (index.annotations?.[annotationNames.title] !== name || index.annotations[annotationNames.version] !== version) {
    return invalidField('index annotations', `do not name ${name} ${version}`)
  }
  const ids = variants.map((variant) => variant.config.variant.id).join(' ')
  for (const { config } of variants) {
    const field = `variant ${config.variant.id}`
    if (config.variants.join(' ') !== ids)
      return invalidField(field, `belongs to the variants ${config.variants.join(', ')}`)
    if (config.package.name !== name || config.package.version !== version) {
      return invalidField(field, `is of ${config.package.name} ${config.package.version}, not of ${name} ${version}`)
    }
  }
  return undefined
}

function packageOf(variants: readonly CheckedVariant[]): PackageConfig['package'] {
  const [first] = variants
  if (!first) throw new Error('A package without variants passed its schema.')
  return first.config.package
}

async function checkLayer(
  source: BlobSource,
  layer: PackageLayer,
  config: PackageConfig,
): Promise<PackageProblem | undefined> {
  const found = await problemOfSize(source, { digest: layer.digest, size: layer.sizeBytes })
  if (found) return found
  const digest = createHash('sha256')
  const chunker = createChunker()
  const pieces = createPieceHasher()
  const measured = measure(await source.open(layer.digest), (bytes) => {
    digest.update(bytes)
    chunker.update(bytes)
    pieces.update(bytes)
  })
  const unpacked = await unpackLayer(measured, expectedLayer(config, layer), discard)
  if (!unpacked.ok) return unpacked.error
  if (`sha256:${digest.digest('hex')}` !== layer.digest) {
    return { rule: 'digest-mismatch', field: layer.digest, problem: 'has other bytes than its digest says' }
  }
  const isTrue =
    JSON.stringify(chunker.finish()) === JSON.stringify(layer.chunks.list) &&
    pieces.finish().join() === layer.pieces.sha256.join()
  if (isTrue) return undefined
  return { rule: 'chunk-table', field: `module ${layer.module}`, problem: 'has a chunk or piece table of other bytes' }
}

/** The part of a config that is about one layer. */
export function expectedLayer(config: PackageConfig, layer: PackageLayer): ExpectedLayer {
  return {
    module: layer.module,
    sizeBytes: layer.sizeBytes,
    files: config.files.filter((file) => file.module === layer.module),
    links: config.links.filter((link) => link.module === layer.module),
  }
}

const discard: LayerWriter = { beginFile() {}, write() {}, endFile() {}, link() {} }

async function* measure(source: AsyncIterable<Uint8Array>, onBytes: (bytes: Uint8Array) => void) {
  for await (const bytes of source) {
    onBytes(bytes)
    yield bytes
  }
}

async function problemOfSize(
  source: BlobSource,
  ref: { readonly digest: string; readonly size?: number },
): Promise<PackageProblem | undefined> {
  const stat = await source.stat(ref.digest)
  if (!stat) return { rule: 'missing-blob', field: ref.digest, problem: 'is missing' }
  if (ref.size === undefined || ref.size === stat.sizeBytes) return undefined
  const problem = `has ${stat.sizeBytes} bytes instead of ${ref.size}`
  return { rule: 'size-mismatch', field: ref.digest, problem }
}

async function readJsonBlob<Schema extends z.ZodType>(
  source: BlobSource,
  ref: { readonly digest: string; readonly size?: number },
  field: string,
  schema: Schema,
  limitBytes: number,
): Promise<Result<{ value: z.infer<Schema>; sizeBytes: number }, PackageProblem[]>> {
  const wrongSize = await problemOfSize(source, ref)
  if (wrongSize) return refuse([wrongSize])
  const parts: Uint8Array[] = []
  let sizeBytes = 0
  for await (const bytes of await source.open(ref.digest)) {
    sizeBytes += bytes.length
    if (sizeBytes > limitBytes)
      return refuse([{ rule: 'over-size', field, problem: `is larger than ${limitBytes} bytes` }])
    parts.push(bytes)
  }
  const bytes = Buffer.concat(parts)
  if (digestOf(bytes) !== ref.digest) {
    return refuse([{ rule: 'digest-mismatch', field: ref.digest, problem: 'has other bytes than its digest says' }])
  }
  const parsed = parseJson(bytes.toString('utf8'), field, schema)
  return parsed.ok ? ok({ value: parsed.value, sizeBytes }) : parsed
}

function invalid(field: string, problem: string): Result<never, PackageProblem[]> {
  return refuse([{ rule: 'invalid-field', field, problem }])
}
