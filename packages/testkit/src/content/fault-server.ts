import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a source does with one request. `start` is where the range begins, 0 without one. */
export type Behaviour = (reply: { response: ServerResponse; content: Buffer; start: number }) => void

export interface FaultServer extends AsyncDisposable {
  readonly url: string
  /** First byte asked for by each request, in order. */
  readonly starts: readonly number[]
  readonly requests: readonly IncomingMessage[]
}

/** A real HTTP server that gives `content` in the way of the next behaviour; the last one stays. */
export async function startFaultServer(content: Buffer, behaviours: readonly Behaviour[]): Promise<FaultServer> {
  const starts: number[] = []
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    const start = Number(/^bytes=(?<start>\d+)-$/.exec(request.headers.range ?? '')?.groups?.['start'] ?? 0)
    const behaviour = behaviours[Math.min(requests.length, behaviours.length - 1)] ?? whole
    starts.push(start)
    requests.push(request)
    behaviour({ response, content, start })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/blob`,
    starts,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function writeHeader(response: ServerResponse, start: number, sizeBytes: number): void {
  if (start === 0) response.writeHead(200, { 'content-length': sizeBytes })
  else {
    const range = `bytes ${start}-${sizeBytes - 1}/${sizeBytes}`
    response.writeHead(206, { 'content-length': sizeBytes - start, 'content-range': range })
  }
}

/** Does it right. */
export const whole: Behaviour = ({ response, content, start }) => {
  writeHeader(response, start, content.length)
  response.end(content.subarray(start))
}

/** Breaks the connection after so many bytes. */
export function cutAfter(bytes: number): Behaviour {
  return ({ response, content, start }) => {
    writeHeader(response, start, content.length)
    if (bytes === 0) {
      response.flushHeaders()
      response.socket?.end()
    } else {
      response.write(content.subarray(start, start + bytes), () => response.socket?.end())
    }
  }
}

/** Gives so many bytes and then nothing more, with the connection open. */
export function stallAfter(bytes: number): Behaviour {
  return ({ response, content, start }) => {
    writeHeader(response, start, content.length)
    response.write(content.subarray(start, start + bytes))
  }
}

/** The right length, the wrong bytes. */
export const poison: Behaviour = ({ response, content, start }) => {
  writeHeader(response, start, content.length)
  response.end(Buffer.alloc(content.length - start, 'x'))
}

/** Gives everything from the start, whatever range was asked for. */
export const ignoreRange: Behaviour = ({ response, content }) => {
  writeHeader(response, 0, content.length)
  response.end(content)
}

/** Says another length than the real one, from the first header on. */
export const lieAboutLength: Behaviour = ({ response, content, start }) => {
  writeHeader(response, start, content.length + 5)
  response.end(Buffer.concat([content.subarray(start), Buffer.from('extra')]))
}

/** Says no length at all and gives too much. */
export const sendTooMuch: Behaviour = ({ response, content }) => {
  response.writeHead(200)
  response.write(content)
  response.end(Buffer.from('extra'))
}

export function answer(status: number, headers: Record<string, string> = {}): Behaviour {
  return ({ response }) => {
    response.writeHead(status, headers)
    response.end('no')
  }
}
