import type { FetchFile } from './own-view.ts'

/** A file of the boards, from this page's own name. */
export const fetchTufFile: FetchFile = async (name, maxBytes) => {
  const bytes = await fetchUpTo(`/tuf/${encodeURIComponent(name)}`, maxBytes)
  return bytes && new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
}

/** The bytes of a blob; whoever asks compares them with the hash. */
export async function fetchBlob(sha256: string, maxBytes: number): Promise<Uint8Array | undefined> {
  return await fetchUpTo(`/blobs/sha256/${sha256}`, maxBytes)
}

/** Reads at most one byte more than is wanted: an endless answer ends there, and is seen to be too long. */
async function fetchUpTo(url: string, maxBytes: number): Promise<Uint8Array | undefined> {
  const response = await fetch(url, { credentials: 'omit', redirect: 'error' })
  if (response.status === 404) return undefined
  if (!response.ok) throw new Error(`Reading ${url}: the server answered ${response.status}`)
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk)
    size += chunk.length
    if (size > maxBytes) throw new Error(`Reading ${url}: it has more than ${maxBytes} bytes`)
  }
  return new Uint8Array(await new Blob(chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer())
}
