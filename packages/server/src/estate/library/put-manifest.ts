import { putBytes } from '@bascule/content/blobs/put-bytes.ts'
import { digestOf, parseJson } from '@bascule/content/oci/layout.ts'
import type { PackageProblem } from '@bascule/content/oci/package-problem.ts'
import { mediaTypes, PackageManifest } from '@bascule/contract/estate/oci.ts'
import { ok, refuse, type Result } from '@bascule/domain/lib/result.ts'
import type { ActorName } from '#/platform/lib/actor.ts'
import { registerVersion, type RegisterRefusal, type RegisterServices } from './register-version.ts'
import { wrapManifest } from './wrap-manifest.ts'

export interface SentManifest {
  /** The repository and the tag or digest of the address. */
  readonly name: string
  readonly reference: string
  readonly mediaType: string
  readonly bytes: Uint8Array
}

/**
 * Takes a manifest or an index as a registry does. An index makes the version; a manifest under a tag is the whole of
 * a package with one variant; a manifest under its digest is only kept, for the index that follows.
 */
export async function putManifest(
  services: RegisterServices,
  actor: ActorName,
  now: Temporal.Instant,
  { name, reference, mediaType, bytes }: SentManifest,
): Promise<Result<string, RegisterRefusal>> {
  const digest = digestOf(bytes)
  const isByDigest = reference.startsWith('sha256:')
  if (isByDigest && reference !== digest) {
    return bad({ rule: 'digest-mismatch', field: reference, problem: `has the digest ${digest}` })
  }
  const expected = isByDigest ? { name } : { name, version: reference }
  if (mediaType === mediaTypes.index) {
    const registered = await registerVersion(services, actor, now, bytes, expected)
    return registered.ok ? ok(digest) : registered
  }
  if (mediaType !== mediaTypes.manifest) {
    const problem = `is ${mediaType}; a package is ${mediaTypes.index} with ${mediaTypes.manifest}`
    return bad({ rule: 'media-type', field: 'content-type', problem })
  }
  const known = await checkReferences(services, bytes)
  if (!known.ok) return refuse({ kind: 'bad-package', problems: known.error })
  if (!isByDigest) {
    const index = await wrapManifest(services.blobs, bytes)
    if (!index.ok) return refuse({ kind: 'bad-package', problems: index.error })
    await putBytes(services.blobs, bytes)
    const registered = await registerVersion(services, actor, now, index.value, expected)
    return registered.ok ? ok(digest) : registered
  }
  await putBytes(services.blobs, bytes)
  return ok(digest)
}

/** A manifest is taken only after everything it names. */
async function checkReferences(
  { blobs }: RegisterServices,
  bytes: Uint8Array,
): Promise<Result<undefined, PackageProblem[]>> {
  const manifest = parseJson(Buffer.from(bytes).toString('utf8'), 'manifest', PackageManifest)
  if (!manifest.ok) return manifest
  for (const { digest, size } of [manifest.value.config, ...manifest.value.layers]) {
    const stored = await blobs.stat(digest)
    if (!stored) return refuse([{ rule: 'missing-blob', field: digest, problem: 'is missing' }])
    if (stored.sizeBytes !== size) {
      const problem = `has ${stored.sizeBytes} bytes instead of ${size}`
      return refuse([{ rule: 'size-mismatch', field: digest, problem }])
    }
  }
  return ok(undefined)
}

function bad(problem: PackageProblem): Result<never, RegisterRefusal> {
  return refuse({ kind: 'bad-package', problems: [problem] })
}
