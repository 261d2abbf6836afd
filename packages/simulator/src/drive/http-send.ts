import { Agent, request } from 'node:http'

/** An answer as it came, or a throw when none came. */
export interface Answer {
  readonly status: number
  readonly body: Buffer
}

export interface Http extends Disposable {
  post(path: string, headers: Readonly<Record<string, string>>, body: string): Promise<Answer>
  get(path: string, onChunk?: (chunk: Buffer) => void): Promise<Answer>
}

const timeoutMs = 30_000

/** Plain HTTP over a pool of kept-alive connections that all devices share; a gateway in a shop does the same. */
export function openHttp(server: string, connections: number): Http {
  const { hostname, port, protocol, pathname } = new URL(server)
  if (protocol !== 'http:') throw new Error('The simulator speaks plain HTTP: put it beside the server or the proxy.')
  const base = pathname.replace(/\/$/, '')
  const agent = new Agent({ keepAlive: true, maxSockets: connections, scheduling: 'fifo' })

  function send(
    method: string,
    path: string,
    headers: Record<string, string | number>,
    body?: string,
    onChunk?: (chunk: Buffer) => void,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const options = { agent, hostname, port, method, path: base + path, headers, timeout: timeoutMs }
      const sent = request(options, (response) => {
        const chunks: Buffer[] = []
        response.on('data', onChunk ?? ((chunk: Buffer) => chunks.push(chunk)))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }))
        response.on('error', reject)
      })
      sent.on('timeout', () => sent.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)))
      sent.on('error', reject)
      sent.end(body)
    })
  }

  return {
    post(path, headers, body) {
      const all = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers }
      return send('POST', path, all, body)
    },
    get: (path, onChunk) => send('GET', path, {}, undefined, onChunk),
    [Symbol.dispose]: () => agent.destroy(),
  }
}
