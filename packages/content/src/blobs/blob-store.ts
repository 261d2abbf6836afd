import type { Readable } from 'node:stream'
import type { Result } from '@bascule/domain/lib/result.ts'

/** Why bytes of an upload were not taken. Nothing of a refused upload is ever visible as a blob. */
export type UploadRefusal =
  | { readonly kind: 'no-such-upload' }
  /** Somebody else is sending bytes to the same upload right now. */
  | { readonly kind: 'busy' }
  | { readonly kind: 'wrong-offset'; readonly offset: number }
  | { readonly kind: 'too-large'; readonly limitBytes: number }
  | { readonly kind: 'digest-mismatch'; readonly found: string }
  | { readonly kind: 'disk-full' }

export interface StoredBlob {
  readonly digest: string
  readonly sizeBytes: number
  readonly storedAt: Temporal.Instant
}

/** First and last byte, both included. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/**
 * Bytes by their SHA-256 (`sha256:<hex>`). A blob exists whole or not at all, never changes and is never stored
 * twice; what an upload has received survives a crash of the server up to some offset, which `uploadOffset` tells.
 */
export interface BlobStore {
  stat(digest: string): Promise<StoredBlob | undefined>
  /** The bytes, or a range of them; undefined when there is no such blob. */
  open(digest: string, range?: ByteRange): Promise<Readable | undefined>
  /** Starts an upload and returns its id. */
  beginUpload(): Promise<string>
  uploadOffset(id: string): Promise<number | undefined>
  /**
   * Appends at `offset`, which must be the current one, and returns the new offset. When the source fails, what came
   * before stays for a later append and the failure is thrown.
   */
  append(
    id: string,
    offset: number,
    source: AsyncIterable<Uint8Array>,
    limitBytes: number,
  ): Promise<Result<number, UploadRefusal>>
  /** Makes the upload a blob when its SHA-256 is `digest`; otherwise the upload is gone. */
  finish(id: string, digest: string): Promise<Result<StoredBlob, UploadRefusal>>
  abort(id: string): Promise<void>
  delete(digest: string): Promise<void>
  list(): AsyncIterable<StoredBlob>
  /** Drops uploads that nobody continued since then; returns how many. */
  dropUploads(before: Temporal.Instant): Promise<number>
}

/**
 * Deletes what nothing refers to any more. Blobs younger than `before` stay: their package may be on its way. Returns
 * the freed bytes.
 */
export async function deleteUnreferenced(
  store: BlobStore,
  isReferenced: (digest: string) => Promise<boolean>,
  before: Temporal.Instant,
): Promise<number> {
  let freedBytes = 0
  for await (const { digest, sizeBytes, storedAt } of store.list()) {
    if (Temporal.Instant.compare(storedAt, before) >= 0 || (await isReferenced(digest))) continue
    await store.delete(digest)
    freedBytes += sizeBytes
  }
  return freedBytes
}
