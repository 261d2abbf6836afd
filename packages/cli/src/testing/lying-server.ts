import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** What a server says that may say anything. */
export interface Claims {
  readonly files: ReadonlyMap<string, Uint8Array>
  readonly blobs: ReadonlyMap<string, Uint8Array>
  /** Answers of the API by method and path. */
  readonly api: Readonly<Record<string, unknown>>
}

export interface LyingServer extends AsyncDisposable {
  readonly url: string
  claims: Claims
  /** Every write that reached it, with its body. */
  readonly received: { readonly path: string; readonly body: unknown }[]
}

/** A server in wrong hands: it answers what it is told to, and remembers what it was sent. */
export async function startLyingServer(claims: Claims): Promise<LyingServer> {
  const received: LyingServer['received'] = []
  const lying = { claims, received }
  const server: Server = createServer((request, reply) => {
    void (async () => {
      const path = decodeURIComponent(request.url ?? '')
      if (request.method === 'POST') received.push({ path, body: JSON.parse(await text(request)) as unknown })
      const { files, blobs, api } = lying.claims
      const bytes = path.startsWith('/tuf/')
        ? files.get(path.slice('/tuf/'.length))
        : path.startsWith('/blobs/')
          ? blobs.get(path.slice('/blobs/sha256/'.length))
          : undefined
      const answer = api[`${request.method ?? ''} ${path}`]
      if (bytes) reply.end(bytes)
      else if (answer === undefined) reply.writeHead(404).end('{}')
      else reply.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
    })()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return Object.assign(lying, {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  })
}
