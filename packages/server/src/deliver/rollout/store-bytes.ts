import type { BlobStore } from '@bascule/content/blobs/blob-store.ts'

/** Puts a small file into the blob store under its digest. Storing the same bytes again changes nothing. */
export async function storeBytes(blobs: BlobStore, bytes: Uint8Array, sha256: string): Promise<void> {
  const digest = `sha256:${sha256}`
  if (await blobs.stat(digest)) return
  const upload = await blobs.beginUpload()
  const appended = await blobs.append(upload, 0, chunksOf(bytes), bytes.length)
  const stored = appended.ok ? await blobs.finish(upload, digest) : appended
  if (!stored.ok) throw new Error(`Storing ${digest}: ${stored.error.kind}`)
}

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
