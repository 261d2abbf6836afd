import { createHash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import type { SignedRepository } from './signed-repository.ts'

/**
 * The signed metadata, for every device, member and auditor: public, because its worth is in the signatures. A version
 * never changes, so relays may keep it for ever; only the timestamp is asked for again and again.
 */
export function registerTufRoutes(app: FastifyInstance, repository: Pick<SignedRepository, 'files'>): void {
  // A wildcard, because a named part of an address is limited to fewer characters than the name of a role may have.
  app.get<{ Params: { '*': string } }>('/tuf/*', { logLevel: 'warn' }, async (request, reply) => {
    const name = request.params['*']
    const text = isFileName(name) ? repository.files.get(name) : undefined
    void reply.header('access-control-allow-origin', '*')
    if (text === undefined) {
      return await reply.code(404).header('cache-control', 'public, max-age=10').type('text/plain').send('Not found')
    }
    const isFixed = /^\d+\./.test(name)
    const etag = `"${createHash('sha256').update(text).digest('base64url')}"`
    void reply.header('etag', etag).header('cache-control', isFixed ? 'public, max-age=31536000, immutable' : freshFor)
    if (request.headers['if-none-match'] === etag) return await reply.code(304).send()
    return await reply.type('application/json').send(text)
  })
}

/** A relay shows a stop after a minute at the latest; who reviews a draft in a browser always sees the newest. */
const freshFor = 'public, max-age=0, s-maxage=60'

function isFileName(name: string): boolean {
  return name.length <= 150 && /^(?:[1-9]\d{0,9}\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)?\.json$/.test(name)
}
