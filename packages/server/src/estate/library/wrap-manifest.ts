import type { BlobStore } from '@bascule/content/blobs/blob-store.ts'
import { digestOf, parseJson } from '@bascule/content/oci/layout.ts'
import { packageIndexText } from '@bascule/content/oci/package-index.ts'
import type { PackageProblem } from '@bascule/content/oci/package-problem.ts'
import { limits, mediaTypes, PackageConfig, PackageManifest } from '@bascule/contract/estate/oci.ts'
import { ok, refuse, type Result } from '@bascule/domain/lib/result.ts'
import { buffer } from 'node:stream/consumers'

/**
 * The index around the only variant of a package, byte for byte the one that pack wrote. Registry tools send just the
 * manifest for their own platform unless they are told `--all`; of a package with one variant that is everything.
 */
export async function wrapManifest(
  blobs: BlobStore,
  manifest: Uint8Array,
): Promise<Result<Uint8Array, PackageProblem[]>> {
  const parsed = parseJson(Buffer.from(manifest).toString('utf8'), 'manifest', PackageManifest)
  if (!parsed.ok) return parsed
  const config = await readConfig(blobs, parsed.value.config.digest)
  if (!config.ok) return config
  const { variants, variant, package: named } = config.value
  if (variants.length !== 1) {
    const problem = `is one of ${variants.length} variants (${variants.join(', ')}); send all of them, with skopeo by --all`
    return refuse([{ rule: 'missing-blob', field: `variant ${variant.id}`, problem }])
  }
  const ref = { mediaType: mediaTypes.manifest, digest: digestOf(manifest), size: manifest.length }
  return ok(Buffer.from(packageIndexText(named, [{ ...variant, manifest: ref }])))
}

async function readConfig(blobs: BlobStore, digest: string): Promise<Result<PackageConfig, PackageProblem[]>> {
  const stored = await blobs.stat(digest)
  const stream = stored && (await blobs.open(digest))
  if (!stream) return refuse([{ rule: 'missing-blob', field: `config ${digest}`, problem: 'is missing' }])
  if (stored.sizeBytes > limits.configBytes) {
    stream.destroy()
    return refuse([{ rule: 'over-size', field: `config ${digest}`, problem: 'is too large' }])
  }
  return parseJson((await buffer(stream)).toString('utf8'), `config ${digest}`, PackageConfig)
}
