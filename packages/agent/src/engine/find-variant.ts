import type { Facts } from '@bascule/contract/device/protocol.ts'
import type { ManifestPackage } from '@bascule/contract/device/release-manifest.ts'
import { PackageConfig, PackageIndex, PackageManifest } from '@bascule/contract/estate/oci.ts'
import {
  chooseVariant,
  describeNotApplicable,
  normaliseArch,
  type VariantMiss,
} from '@bascule/domain/estate/package/choose-variant.ts'
import { ok, refuse, type Result } from '@bascule/domain/lib/result.ts'
import * as z from 'zod'
import { ContentError, StuckError } from './failure.ts'
import { readJsonBlob } from './read-json-blob.ts'
import type { World } from './world.ts'

type Descriptor = PackageIndex['manifests'][number]

interface FoundVariant {
  readonly config: PackageConfig
  readonly configDigest: string
}

/** The first variant of a package that fits this device; otherwise why none does. Fetches no more recipes than it must. */
export async function findVariant(
  world: World,
  wanted: ManifestPackage,
  facts: Facts,
  note: (text: string) => void,
): Promise<Result<FoundVariant, string>> {
  const ref = {
    hex: hexOf(wanted.index.digest),
    sizeBytes: wanted.index.sizeBytes,
    what: `The index of ${wanted.name}`,
  }
  const index = await readJsonBlob(world, ref, PackageIndex, note)
  const misses: VariantMiss[] = []
  for (const descriptor of index.manifests) {
    const miss = missOfPlatform(descriptor, facts)
    if (miss) {
      misses.push(miss)
      continue
    }
    const found = await readVariant(world, wanted, descriptor, note)
    const { id, when } = found.config.variant
    const fits = chooseVariant([{ id, when }], facts)
    if (fits.ok) return ok(found)
    misses.push(...fits.error.misses)
  }
  return refuse(`${wanted.name}: ${describeNotApplicable({ kind: 'not-applicable', misses })}`)
}

/** The platform in the index is a hint that saves a fetch: only a clear mismatch is taken from it. */
function missOfPlatform({ platform, annotations }: Descriptor, facts: Facts): VariantMiss | undefined {
  if (!platform || platform.os === 'unknown' || facts['os'] === undefined) return undefined
  const variant = annotations?.['dev.bascule.variant'] ?? platform.os
  if (platform.os !== facts['os']) return { variant, reason: `is for ${platform.os}` }
  const arch = normaliseArch(String(facts['arch'] ?? ''))
  const isOther = !['unknown', ''].includes(platform.architecture) && normaliseArch(platform.architecture) !== arch
  return isOther ? { variant, reason: `is for ${platform.architecture}` } : undefined
}

async function readVariant(
  world: World,
  wanted: ManifestPackage,
  descriptor: Descriptor,
  note: (text: string) => void,
): Promise<FoundVariant> {
  const what = `${wanted.name} ${wanted.version}`
  const manifestRef = { hex: hexOf(descriptor.digest), sizeBytes: descriptor.size, what: `The manifest of ${what}` }
  const manifest = await readJsonBlob(world, manifestRef, PackageManifest, note)
  const { digest, size } = manifest.config
  const configRef = { hex: hexOf(digest), sizeBytes: size, what: `The recipe of ${what}` }
  refuseForeignInstaller(world, what, await readJsonBlob(world, configRef, InstallerPeek, note))
  const config = await readJsonBlob(world, configRef, PackageConfig, note)
  if (config.package.name !== wanted.name || config.package.version !== wanted.version) {
    throw new ContentError(
      `The release says ${what}; the package says ${config.package.name} ${config.package.version}`,
    )
  }
  return { config, configDigest: digest }
}

/** Only this much of a recipe is read before it is known that this agent understands the rest. */
const InstallerPeek = z.object({ recipe: z.object({ install: z.object({ type: z.string().max(60) }) }) })

/** A package for a newer agent is not bad content: the person has to know that the agent is too old for it. */
function refuseForeignInstaller(
  world: Pick<World, 'installers'>,
  what: string,
  peek: z.infer<typeof InstallerPeek>,
): void {
  const { type } = peek.recipe.install
  if (world.installers.has(type)) return
  throw new StuckError('installer', `${what} needs the installer "${type}", which this agent does not have.`)
}

function hexOf(digest: string): string {
  return digest.replace(/^sha256:/, '')
}
