import { readLayoutTar } from '@bascule/content/oci/layout-tar.ts'
import { parseLayoutIndex, type BlobRef } from '@bascule/content/oci/layout.ts'
import type { PackageProblem } from '@bascule/content/oci/package-problem.ts'
import type { UploadedView } from '@bascule/contract/estate/library.ts'
import { limits } from '@bascule/contract/estate/oci.ts'
import { ok, refuse, type Result } from '@bascule/domain/lib/result.ts'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { ActorName } from '#/platform/lib/actor.ts'
import { isBlobUsed } from './library.store.ts'
import { registerVersion, type RegisterRefusal, type RegisterServices } from './register-version.ts'

/**
 * Takes the single tar of a package as a stream. When anything about it is wrong, or the sender goes away, no blob of
 * it stays behind.
 */
export async function importTar(
  services: RegisterServices,
  actor: ActorName,
  now: Temporal.Instant,
  source: AsyncIterable<Uint8Array>,
): Promise<Result<UploadedView, RegisterRefusal>> {
  const fresh: string[] = []
  let isTaken = false
  try {
    const outcome = await take(services, actor, now, source, fresh)
    isTaken = outcome.ok
    return outcome
  } finally {
    if (!isTaken) await forget(services, fresh)
  }
}

async function take(
  services: RegisterServices,
  actor: ActorName,
  now: Temporal.Instant,
  source: AsyncIterable<Uint8Array>,
  fresh: string[],
): Promise<Result<UploadedView, RegisterRefusal>> {
  let totalBytes = 0
  const read = await readLayoutTar(source, {
    async blob(hex, sizeBytes, bytes) {
      totalBytes += sizeBytes
      const field = `blobs/sha256/${hex}`
      if (sizeBytes > limits.layerBytes || totalBytes > limits.packageBytes) {
        return { rule: 'over-size', field, problem: 'makes the package too large' }
      }
      return await takeBlob(services, `sha256:${hex}`, field, bytes, fresh)
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
  fresh: string[],
): Promise<PackageProblem | undefined> {
  if (await blobs.stat(digest)) {
    for await (const _known of bytes) continue
    return undefined
  }
  const id = await blobs.beginUpload()
  try {
    const appended = await blobs.append(id, 0, bytes, limits.layerBytes)
    const finished = appended.ok ? await blobs.finish(id, digest) : appended
    if (finished.ok) {
      fresh.push(digest)
      return undefined
    }
    if (finished.error.kind === 'disk-full') throw new Error(`Storing ${digest}: the disk is full.`)
    return { rule: 'digest-mismatch', field, problem: 'has other bytes than its name says' }
  } finally {
    await blobs.abort(id)
  }
}

/** Deletes what this import brought and no version uses. */
async function forget({ blobs, db }: RegisterServices, digests: readonly string[]): Promise<void> {
  for (const digest of digests) {
    if (!(await isBlobUsed(db, digest))) await blobs.delete(digest)
  }
}
