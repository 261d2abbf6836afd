import type { BlobStore } from '@bascule/content/blobs/blob-store.ts'
import { putBytes } from '@bascule/content/blobs/put-bytes.ts'
import {
  checkPackage,
  type BlobSource,
  type CheckedPackage,
  type CheckedVariant,
} from '@bascule/content/oci/check-package.ts'
import { digestOf } from '@bascule/content/oci/layout.ts'
import type { PackageProblem } from '@bascule/content/oci/package-problem.ts'
import type { UploadedView } from '@bascule/contract/estate/library.ts'
import { limits } from '@bascule/contract/estate/oci.ts'
import { ok, refuse, type Refusal, type Result } from '@bascule/domain/lib/result.ts'
import type { Db } from '#/platform/db/database.ts'
import { record } from '#/platform/ledger/record.ts'
import type { ActorName } from '#/platform/lib/actor.ts'
import { newId } from '#/platform/lib/id.ts'
import { findVersion, insertBlobs, insertFiles, insertVersion, lockLibrary, lockPackage } from './library.store.ts'
import type { StoredVariant } from './library.tables.ts'

export interface RegisterServices {
  readonly db: Db
  readonly blobs: BlobStore
}

export type RegisterRefusal =
  | { readonly kind: 'bad-package'; readonly problems: readonly PackageProblem[] }
  | { readonly kind: 'refused'; readonly refusal: Refusal<'version-taken'> }

/**
 * Makes an uploaded package a version of the library, in one transaction with its fact, or not at all. Every byte was
 * compared before. The same package again is the same version; other content under a known version is refused,
 * because somebody may already run it.
 */
export async function registerVersion(
  services: RegisterServices,
  actor: ActorName,
  now: Temporal.Instant,
  index: Uint8Array,
  expected: { readonly name?: string; readonly version?: string } = {},
): Promise<Result<UploadedView, RegisterRefusal>> {
  const indexDigest = digestOf(index)
  if (index.length > limits.indexBytes) {
    return badPackage({ rule: 'over-size', field: 'index', problem: `is larger than ${limits.indexBytes} bytes` })
  }
  const checked = await checkPackage(sourceFrom(services.blobs, indexDigest, index), indexDigest)
  if (!checked.ok) return refuse({ kind: 'bad-package', problems: checked.error })
  const { name, version } = checked.value
  if (name !== (expected.name ?? name)) {
    return badPackage({
      rule: 'invalid-field',
      field: 'name',
      problem: `is ${name}, but it was sent to ${expected.name}`,
    })
  }
  if (version !== (expected.version ?? version)) {
    const problem = `is ${version}, but it was sent as ${expected.version}`
    return badPackage({ rule: 'invalid-field', field: 'version', problem })
  }
  return await services.db.transaction().execute(async (tx) => {
    await lockLibrary(tx, 'to-register')
    // An import that failed may have taken back what was there when the package was checked.
    const lost = await firstLost(services.blobs, checked.value)
    if (lost) return badPackage(lost)
    const recipe = checked.value.variants[0]?.config.recipe
    const packageId = await lockPackage(tx, { ...checked.value, class: recipe?.class ?? 'application' }, now)
    const known = await findVersion(tx, name, version)
    if (known && known.index_digest !== indexDigest) return refuse(versionTaken(name, version, known.index_digest))
    if (!known) await insertChecked(tx, actor, now, packageId, checked.value)
    await putBytes(services.blobs, index)
    return ok({ name, version, indexDigest })
  })
}

async function firstLost(blobs: BlobStore, { blobs: needed }: CheckedPackage): Promise<PackageProblem | undefined> {
  for (const { digest } of needed) {
    if (!(await blobs.stat(digest)))
      return { rule: 'missing-blob', field: digest, problem: 'is missing; send it again' }
  }
  return undefined
}

async function insertChecked(
  tx: Db,
  actor: ActorName,
  now: Temporal.Instant,
  packageId: Parameters<typeof insertVersion>[1]['package_id'],
  checked: CheckedPackage,
): Promise<void> {
  const id = newId<string>()
  const { name, version, index, sizeBytes, variants } = checked
  const files = variants.flatMap((variant) => filesFrom(id, variant))
  await insertVersion(tx, {
    id,
    package_id: packageId,
    version,
    index_digest: index.digest,
    index_size_bytes: index.size,
    size_bytes: sizeBytes,
    file_count: files.length,
    state: 'active',
    spec: JSON.stringify({ variants: variants.map(variantFrom) }),
    uploaded_by_kind: actor.kind,
    uploaded_by_id: actor.id,
    uploaded_by_name: actor.name,
    uploaded_at: now,
    retired_at: null,
  })
  await insertFiles(tx, files)
  await insertBlobs(tx, id, [index, ...checked.blobs], now)
  const after = { name, version, indexDigest: index.digest, sizeBytes }
  await record(tx, { actor, at: now, did: 'package-version.uploaded', subject: { kind: 'package-version', id }, after })
}

function filesFrom(versionId: string, { config }: CheckedVariant) {
  const own = { version_id: versionId, variant: config.variant.id }
  return [
    ...config.files.map(({ module, path, mode, sizeBytes, sha256 }) => ({
      ...own,
      module,
      path,
      mode,
      size_bytes: sizeBytes,
      sha256,
      link_target: null,
    })),
    ...config.links.map(({ module, path, target }) => ({
      ...own,
      module,
      path,
      mode: null,
      size_bytes: null,
      sha256: null,
      link_target: target,
    })),
  ]
}

function variantFrom({ config, configDigest, manifest }: CheckedVariant): StoredVariant {
  const filesIn = (module: string): number =>
    [...config.files, ...config.links].filter((file) => file.module === module).length
  const modules = config.layers.flatMap((layer) => {
    const rule = config.recipe.modules.find(({ name }) => name === layer.module)
    if (!rule) return []
    const { digest, sizeBytes, chunks } = layer
    return [{ ...rule, digest, sizeBytes, fileCount: filesIn(rule.name), chunkCount: chunks.list.length }]
  })
  return {
    id: config.variant.id,
    when: config.variant.when,
    manifestDigest: manifest.digest,
    configDigest,
    sizeBytes: config.layers.reduce((sum, layer) => sum + layer.sizeBytes, 0),
    fileCount: config.files.length + config.links.length,
    modules,
    recipe: config.recipe,
  }
}

/** The blob store, and in front of it the index that is not stored before it is known to be good. */
function sourceFrom(blobs: BlobStore, indexDigest: string, index: Uint8Array): BlobSource {
  return {
    stat: async (digest) => (digest === indexDigest ? { sizeBytes: index.length } : await blobs.stat(digest)),
    async open(digest) {
      if (digest === indexDigest) return one(index)
      const stream = await blobs.open(digest)
      if (!stream) throw new Error(`Reading ${digest}: it was deleted meanwhile.`)
      return stream
    },
  }
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

function badPackage(problem: PackageProblem): Result<never, RegisterRefusal> {
  return refuse({ kind: 'bad-package', problems: [problem] })
}

function versionTaken(name: string, version: string, digest: string): RegisterRefusal {
  return {
    kind: 'refused',
    refusal: {
      rule: 'version-taken',
      fact: `${name} ${version} is in the library with other content (${digest}).`,
      lifter: 'nobody',
      next: 'Give the package a new version and upload it again.',
    },
  }
}
