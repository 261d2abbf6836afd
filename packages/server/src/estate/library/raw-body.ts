import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Readable } from 'node:stream'

/** In this scope a body is the stream of its bytes, whatever its type: nothing is read before somebody asks. */
export function takeRawBodies(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', (_request, payload, done) => {
    done(null, payload)
  })
}

export function bodyOf(request: FastifyRequest): Readable {
  return request.body instanceof Readable ? request.body : Readable.from([])
}

/** A small body in memory; undefined when it is larger than the limit. */
export async function readBody(request: FastifyRequest, limitBytes: number): Promise<Buffer | undefined> {
  const parts: Buffer[] = []
  let sizeBytes = 0
  for await (const part of bodyOf(request) as AsyncIterable<Buffer>) {
    sizeBytes += part.length
    if (sizeBytes > limitBytes) return undefined
    parts.push(part)
  }
  return Buffer.concat(parts)
}
