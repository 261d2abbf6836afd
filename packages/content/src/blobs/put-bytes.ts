import { digestOf } from '../oci/layout.ts'
import type { BlobStore, StoredBlob } from './blob-store.ts'

/** Stores bytes that are in memory already. Storing them again changes nothing. */
export async function putBytes(store: BlobStore, bytes: Uint8Array): Promise<StoredBlob> {
  const digest = digestOf(bytes)
  const known = await store.stat(digest)
  if (known) return known
  const id = await store.beginUpload()
  const appended = await store.append(id, 0, once(bytes), bytes.length)
  const stored = appended.ok ? await store.finish(id, digest) : appended
  if (stored.ok) return stored.value
  await store.abort(id)
  throw new Error(`Storing ${digest}: ${stored.error.kind}`)
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
