import {
  annotationNames,
  limits as formatLimits,
  mediaTypes,
  PackageConfig,
  type PackageFile,
  type PackageLink,
} from '@bascule/contract/estate/oci.ts'
import type { PackageModule, PackageSpec } from '@bascule/contract/estate/package-spec.ts'
import { ok, refuse, type Result } from '@bascule/domain/lib/result.ts'
import { collectModule, type SourceModule } from './collect-module.ts'
import { prepareLayout, writeJsonBlob, writeLayoutIndex, writeTextBlob, type BlobRef } from './layout.ts'
import { packageIndexText } from './package-index.ts'
import type { PackageProblem } from './package-problem.ts'
import { readSpec, specFile } from './read-spec.ts'
import { writeLayer, type WrittenLayer } from './write-layer.ts'

export interface PackedPackage {
  readonly name: string
  readonly version: string
  readonly indexDigest: string
  readonly variants: readonly { readonly id: string; readonly manifestDigest: string; readonly sizeBytes: number }[]
  readonly fileCount: number
  /** Bytes of all different layers together. */
  readonly sizeBytes: number
}

interface VariantSource {
  readonly id: string
  readonly modules: readonly SourceModule[]
}

/**
 * Packs a folder with a `bascule.yaml` into an OCI layout. Everything is checked before the first byte is written,
 * and the same input gives the same digests on every machine.
 */
export async function packFolder(
  folder: string,
  layout: string,
  options: { readonly layerLimitBytes?: number } = {},
): Promise<Result<PackedPackage, PackageProblem[]>> {
  const spec = await readSpec(folder)
  if (!spec.ok) return spec
  const variants = await collectVariants(folder, spec.value)
  if (!variants.ok) return variants
  const problems = [
    ...sizeProblems(variants.value, options.layerLimitBytes ?? formatLimits.layerBytes),
    ...variants.value.flatMap((variant) => treeProblems(spec.value, variant)),
  ]
  if (problems.length > 0) return refuse(problems)
  return ok(await writePackage(layout, spec.value, variants.value))
}

async function collectVariants(folder: string, spec: PackageSpec): Promise<Result<VariantSource[], PackageProblem[]>> {
  const problems: PackageProblem[] = []
  const variants: VariantSource[] = []
  for (const { id, modules } of spec.variants) {
    const collected: SourceModule[] = []
    for (const [name, source] of Object.entries(modules).toSorted(byName)) {
      const module = await collectModule(folder, name, source)
      if (module.ok) collected.push(module.value)
      else problems.push(...module.error)
    }
    if (variants.some((variant) => variant.id === id)) {
      problems.push({ rule: 'invalid-field', field: `${specFile} variants`, problem: `has two variants named ${id}` })
    }
    variants.push({ id, modules: collected })
  }
  const used = new Set(spec.variants.flatMap((variant) => Object.keys(variant.modules)))
  for (const name of Object.keys(spec.modules).filter((name) => !used.has(name))) {
    problems.push({ rule: 'invalid-field', field: `${specFile} modules.${name}`, problem: 'is in no variant' })
  }
  return problems.length > 0 ? refuse(problems) : ok(variants)
}

function sizeProblems(variants: readonly VariantSource[], layerLimitBytes: number): PackageProblem[] {
  return variants.flatMap(({ id, modules }) =>
    modules.flatMap(({ name, files }) => {
      const bytes = files.reduce((sum, file) => sum + file.sizeBytes, 0)
      if (bytes <= layerLimitBytes && files.length <= formatLimits.files) return []
      const problem = `has ${files.length} files with ${bytes} bytes; the limit is ${formatLimits.files} files and ${layerLimitBytes} bytes`
      return [{ rule: 'over-size' as const, field: `variant ${id} module ${name}`, problem }]
    }),
  )
}

/** Modules share one tree on the device, so no path may come from two of them; and what the recipe names must exist. */
function treeProblems(spec: PackageSpec, variant: VariantSource): PackageProblem[] {
  const problems: PackageProblem[] = []
  const ownerByPath = new Map<string, string>()
  const folders = new Set<string>()
  for (const module of variant.modules) {
    for (const { path } of [...module.files, ...module.links]) {
      const other = ownerByPath.get(path)
      if (other !== undefined) {
        problems.push({ rule: 'duplicate-file', field: `${module.name}/${path}`, problem: `is in module ${other} too` })
      }
      ownerByPath.set(path, module.name)
      for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
        folders.add(path.slice(0, end))
      }
    }
  }
  for (const path of [...folders].filter((path) => ownerByPath.has(path))) {
    const field = `${ownerByPath.get(path)}/${path}`
    problems.push({ rule: 'duplicate-file', field, problem: 'is a folder in another module' })
  }
  return [...problems, ...recipeProblems(spec, variant)]
}

function recipeProblems(spec: PackageSpec, variant: VariantSource): PackageProblem[] {
  const problems: PackageProblem[] = []
  const run = spec.verify.health?.run
  const named = [...(run === undefined ? [] : [run]), ...spec.detect.map((detection) => detection.file)]
  for (const path of named) {
    const owner = variant.modules.find(({ files }) => files.some((file) => file.path === path))
    if (!owner) {
      problems.push({
        rule: 'missing-file',
        field: path,
        problem: `is named in ${specFile} but not in variant ${variant.id}`,
      })
    } else if (!moduleRule(spec, owner.name).roles.includes('*')) {
      const problem = `is named in ${specFile} but lies in module ${owner.name}, which not everybody gets`
      problems.push({ rule: 'missing-file', field: path, problem })
    } else if (path === run && owner.files.find((file) => file.path === path)?.mode !== 0o755) {
      problems.push({ rule: 'not-executable', field: path, problem: 'is the health command but not executable' })
    }
  }
  return problems
}

async function writePackage(
  layout: string,
  spec: PackageSpec,
  variants: readonly VariantSource[],
): Promise<PackedPackage> {
  await prepareLayout(layout)
  const layers = new Map<string, number>()
  const manifests: { id: string; ref: BlobRef; sizeBytes: number }[] = []
  let fileCount = 0
  for (const variant of variants) {
    const written: WrittenLayer[] = []
    for (const module of variant.modules) written.push(await writeLayer(layout, module))
    const config = configOf(spec, variant, written)
    const configRef = await writeJsonBlob(layout, mediaTypes.config, config)
    const ref = await writeJsonBlob(layout, mediaTypes.manifest, manifestOf(config, configRef))
    manifests.push({ id: variant.id, ref, sizeBytes: config.layers.reduce((sum, layer) => sum + layer.sizeBytes, 0) })
    for (const layer of config.layers) layers.set(layer.digest, layer.sizeBytes)
    fileCount += config.files.length + config.links.length
  }
  const index = await writeTextBlob(layout, mediaTypes.index, packageIndexText(spec, variantEntries(spec, manifests)))
  await writeLayoutIndex(layout, index, spec.name, spec.version)
  return {
    name: spec.name,
    version: spec.version,
    indexDigest: index.digest,
    variants: manifests.map(({ id, ref, sizeBytes }) => ({ id, manifestDigest: ref.digest, sizeBytes })),
    fileCount,
    sizeBytes: [...layers.values()].reduce((sum, bytes) => sum + bytes, 0),
  }
}

function configOf(spec: PackageSpec, variant: VariantSource, written: readonly WrittenLayer[]): PackageConfig {
  const { apiVersion: _apiVersion, name, vendor, version, variants, requires, ...recipe } = spec
  const { freeDisk: freeDiskBytes, ...others } = requires
  const links: PackageLink[] = variant.modules.flatMap((module) =>
    module.links.map((link) => ({ module: module.name, ...link })),
  )
  const files: PackageFile[] = written.flatMap((layer) => layer.files)
  // Parsing puts the keys into the order of the schema and proves that we never write what we would not read.
  return PackageConfig.parse({
    schemaVersion: 1,
    package: { name, vendor, version },
    variant: { id: variant.id, when: variants.find((entry) => entry.id === variant.id)?.when },
    variants: variants.map((entry) => entry.id),
    recipe: {
      ...recipe,
      modules: variant.modules.map((module) => moduleRule(spec, module.name)),
      requires: { freeDiskBytes, ...others },
    },
    layers: written.map(({ layer }) => layer),
    files,
    links,
  })
}

/** A module for everybody also goes to devices without a role, unless the author says otherwise. */
function moduleRule(spec: PackageSpec, name: string): PackageModule {
  const rule = spec.modules[name]
  const roles = rule?.roles ?? ['*']
  return { name, roles, default: rule?.default ?? roles.includes('*') }
}

function manifestOf(config: PackageConfig, ref: BlobRef) {
  return {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: mediaTypes.package,
    config: ref,
    layers: config.layers.map((layer) => ({
      mediaType: mediaTypes.layer,
      digest: layer.digest,
      size: layer.sizeBytes,
      annotations: { [annotationNames.module]: layer.module },
    })),
  }
}

function variantEntries(spec: PackageSpec, manifests: readonly { readonly id: string; readonly ref: BlobRef }[]) {
  return manifests.map(({ id, ref }) => ({
    id,
    when: spec.variants.find((variant) => variant.id === id)?.when ?? {},
    manifest: ref,
  }))
}

function byName([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1
}
