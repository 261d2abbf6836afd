import type { BlobStore } from '@bascule/content/blobs/blob-store.ts'
import { readLayoutTar } from '@bascule/content/oci/layout-tar.ts'
import { parseLayoutIndex, type BlobRef } from '@bascule/content/oci/layout.ts'
import type { PackageProblem } from '@bascule/content/oci/package-problem.ts'
import type { UploadedView } from '@bascule/contract/estate/library.ts'
import { limits } from '@bascule/contract/estate/oci.ts'
import { ok, refuse, type Result } from '@bascule/domain/lib/result.ts'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { ActorName } from '#/platform/lib/actor.ts'
import { isBlobUsed, lockLibrary } from './library.store.ts'
import { registerVersion, type RegisterRefusal, type RegisterServices } from './register-version.ts'

/**
 * Takes the single tar of a package as a stream. When anything about it is wrong, or the sender goes away, no blob of
 * it stays behind, unless another import that runs at the same time counts on it.
 */
export async function importTar(
  services: RegisterServices,
  actor: ActorName,
  now: Temporal.Instant,
  source: AsyncIterable<Uint8Array>,
): Promise<Result<UploadedView, RegisterRefusal>> {
  const claimed = new Set<string>()
  try {
    return await take(services, actor, now, source, claimed)
  } finally {
    await forget(services, claimed)
  }
}

/** What the imports of a store that run now count on: how many name a blob, and which blobs one of them brought. */
interface Imports {
  readonly claims: Map<string, number>
  readonly brought: Set<string>
  /** Done when no blob is being deleted; who claims one waits for it before looking whether the blob is there. */
  deleting: Promise<void>
}

const importsByStore = new WeakMap<BlobStore, Imports>()

function importsOf(blobs: BlobStore): Imports {
  const known = importsByStore.get(blobs) ?? { claims: new Map(), brought: new Set(), deleting: Promise.resolve() }
  importsByStore.set(blobs, known)
  return known
}

async function take(
  services: RegisterServices,
  actor: ActorName,
  now: Temporal.Instant,
  source: AsyncIterable<Uint8Array>,
  claimed: Set<string>,
): Promise<Result<UploadedView, RegisterRefusal>> {
  let totalBytes = 0
  const read = await readLayoutTar(source, {
    async blob(hex, sizeBytes, bytes) {
      totalBytes += sizeBytes
      const field = `blobs/sha256/${hex}`
      if (sizeBytes > limits.layerBytes || totalBytes > limits.packageBytes) {
        return { rule: 'over-size', field, problem: 'makes the package too large' }
      }
      return await takeBlob(services, `sha256:${hex}`, field, bytes, claimed)
    },
  })
  if (!read.ok) return refuse({ kind: 'bad-package', problems: [read.error] })
  const named = parseLayoutIndex(read.value)
  if (!named.ok) return refuse({ kind: 'bad-package', problems: named.error })
  const index = await openIndex(services, named.value)
  return index.ok ? await registerVersion(services, actor, now, await buffer(index.value)) : index
}

/** The index, once it has the size that was said, which is small: whatever it is otherwise comes into memory whole. */
async function openIndex(
  { blobs }: RegisterServices,
  { digest, size }: BlobRef,
): Promise<Result<Readable, RegisterRefusal>> {
  const stored = await blobs.stat(digest)
  const index = stored?.sizeBytes === size ? await blobs.open(digest) : undefined
  if (index) return ok(index)
  const problem: PackageProblem = stored
    ? { rule: 'size-mismatch', field: digest, problem: `has ${stored.sizeBytes} bytes instead of ${size}` }
    : { rule: 'missing-blob', field: digest, problem: 'is missing' }
  return refuse({ kind: 'bad-package', problems: [problem] })
}

async function takeBlob(
  { blobs }: RegisterServices,
  digest: string,
  field: string,
  bytes: AsyncIterable<Uint8Array>,
  claimed: Set<string>,
): Promise<PackageProblem | undefined> {
  const imports = importsOf(blobs)
  if (!claimed.has(digest)) imports.claims.set(digest, (imports.claims.get(digest) ?? 0) + 1)
  claimed.add(digest)
  await imports.deleting
  if (await blobs.stat(digest)) {
    for await (const _known of bytes) continue
    return undefined
  }
  const id = await blobs.beginUpload()
  try {
    const appended = await blobs.append(id, 0, bytes, limits.layerBytes)
    const finished = appended.ok ? await blobs.finish(id, digest) : appended
    if (finished.ok) {
      imports.brought.add(digest)
      return undefined
    }
    if (finished.error.kind === 'disk-full') throw new Error(`Storing ${digest}: the disk is full.`)
    return { rule: 'digest-mismatch', field, problem: 'has other bytes than its name says' }
  } finally {
    await blobs.abort(id)
  }
}

/** Deletes what imports brought, no other import counts on and no version uses. */
async function forget({ blobs, db }: RegisterServices, claimed: ReadonlySet<string>): Promise<void> {
  const imports = importsOf(blobs)
  for (const digest of claimed) release(imports.claims, digest)
  const isLeft = (digest: string): boolean => imports.brought.has(digest) && !imports.claims.has(digest)
  if (![...claimed].some(isLeft)) return
  const before = imports.deleting
  const deleting = (async () => {
    await before
    await db.transaction().execute(async (tx) => {
      await lockLibrary(tx, 'to-delete')
      for (const digest of claimed) {
        const isUsed = await isBlobUsed(tx, digest)
        // Looked at again here: a claim that comes from now on waits until the blob is gone, and brings it itself.
        if (!isLeft(digest)) continue
        imports.brought.delete(digest)
        if (!isUsed) await blobs.delete(digest)
      }
    })
  })()
  imports.deleting = deleting.catch(() => undefined)
  await deleting
}

function release(claims: Map<string, number>, digest: string): void {
  const others = (claims.get(digest) ?? 1) - 1
  if (others > 0) claims.set(digest, others)
  else claims.delete(digest)
}
