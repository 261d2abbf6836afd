import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { httpSource } from './http-source.ts'

async function sourceThat(answer: RequestListener, signal = new AbortController().signal) {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return httpSource(`http://127.0.0.1:${(server.address() as AddressInfo).port}/relay/`, { signal, stallMs: 300 })
}

test('a file comes from the folder tuf of the source, and what is not there is no error', async () => {
  const names: (string | undefined)[] = []
  const source = await sourceThat((request, response) => {
    names.push(request.url)
    response.writeHead(request.url?.endsWith('2.root.json') === true ? 404 : 200).end('{}')
  })
  expect(Buffer.from((await source.fetchMetadata('company.tools.json', 10)) ?? []).toString()).toBe('{}')
  expect(await source.fetchMetadata('2.root.json', 10)).toBeUndefined()
  expect(names).toEqual(['/relay/tuf/company.tools.json', '/relay/tuf/2.root.json'])
})

test('of an endless file one byte more than allowed is taken, and no more', async () => {
  const source = await sourceThat((_request, response) => {
    const more = () => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536)));
    }
    response.on('drain', more)
    more()
  })
  expect(await source.fetchMetadata('timestamp.json', 1000)).toHaveLength(1001)
})

test('a source that fails, is silent, or sends a byte now and then is given up with its address in the sentence', async () => {
  const failing = await sourceThat((_request, response) => response.writeHead(500).end())
  await expect(failing.fetchMetadata('timestamp.json', 10)).rejects.toThrow(/^Reaching http.*it answered 500/)
  const silent = await sourceThat(() => {})
  await expect(silent.fetchMetadata('timestamp.json', 10)).rejects.toThrow(/^Reaching http.*nothing came for 300 ms/)
  const dripping = await sourceThat((_request, response) => {
    const timer = setInterval(() => response.write('x'), 20)
    response.on('close', () => {
      clearInterval(timer)
    })
  })
  await expect(dripping.fetchMetadata('timestamp.json', 1_000_000)).rejects.toThrow(
    /^Reaching http.*only \d+ bytes came/,
  )
})

test('an agent that is being stopped waits for no source', async () => {
  const stop = new AbortController()
  const source = await sourceThat(() => {
    stop.abort(new Error('stopped'))
  }, stop.signal)
  await expect(source.fetchMetadata('timestamp.json', 10)).rejects.toThrow('stopped')
})
