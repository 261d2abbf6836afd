import type { BlobStore, ByteRange } from '@bascule/content/blobs/blob-store.ts'
import type { FastifyReply, FastifyRequest } from 'fastify'

/**
 * Answers with a blob, or with the range that was asked for. It never changes, so everybody may keep it for ever.
 * Returns false, with nothing sent, when there is no such blob.
 */
export async function sendBlob(
  request: FastifyRequest,
  reply: FastifyReply,
  blobs: BlobStore,
  digest: string,
  mediaType = 'application/octet-stream',
): Promise<boolean> {
  const blob = await blobs.stat(digest)
  if (!blob) return false
  const etag = `"${digest}"`
  reply.headers({
    etag,
    'accept-ranges': 'bytes',
    'cache-control': 'public, max-age=31536000, immutable',
    'content-type': mediaType,
    'docker-content-digest': digest,
  })
  if (request.headers['if-none-match']?.split(/,\s*/).includes(etag) === true) {
    await reply.status(304).send()
    return true
  }
  const range = rangeOf(request, blob.sizeBytes, etag)
  if (range === 'unsatisfiable') {
    await reply.status(416).header('content-range', `bytes */${blob.sizeBytes}`).send()
    return true
  }
  if (range) reply.status(206).header('content-range', `bytes ${range.start}-${range.end}/${blob.sizeBytes}`)
  reply.header('content-length', range ? range.end - range.start + 1 : blob.sizeBytes)
  await reply.send(request.method === 'HEAD' ? null : await blobs.open(digest, range))
  return true
}

/** The one range that was asked for; undefined means everything, which is also right for several ranges. */
function rangeOf(request: FastifyRequest, sizeBytes: number, etag: string): ByteRange | 'unsatisfiable' | undefined {
  const ifRange = request.headers['if-range']
  if (ifRange !== undefined && ifRange !== etag) return undefined
  const asked = /^bytes=(?<first>\d*)-(?<last>\d*)$/.exec(request.headers.range ?? '')?.groups
  const [first, last] = [asked?.['first'] ?? '', asked?.['last'] ?? '']
  if (first === '' && last === '') return undefined
  if (first === '') {
    const length = Number(last)
    return length === 0 ? 'unsatisfiable' : { start: Math.max(0, sizeBytes - length), end: sizeBytes - 1 }
  }
  const start = Number(first)
  const end = last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1)
  if (last !== '' && Number(last) < start) return undefined
  return start < sizeBytes ? { start, end } : 'unsatisfiable'
}
