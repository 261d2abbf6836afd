import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import Fastify from 'fastify'
import { expect, onTestFinished, test } from 'vitest'
import { limitBodyTime } from './body-time.ts'

async function aServer() {
  const app = Fastify()
  onTestFinished(async () => await app.close())
  limitBodyTime(app, 100)
  app.route({ method: 'POST', url: '/held', handler: async () => 'held' })
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
    scope.route({
      method: 'POST',
      url: '/streamed',
      handler: async (request) => String((await buffer(request.body as Readable)).length),
    })
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const send = (path: string, body: string) => {
    const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    socket.on('error', () => undefined)
    socket.write(`POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\ncontent-length: 8\r\n\r\n${body}`)
    return socket
  }
  return { send }
}

test('a body that does not come to its end is cut off', async () => {
  const { send } = await aServer()
  const socket = send('/held', 'half').resume()
  await once(socket, 'close')
  expect(socket.bytesRead).toBe(0)
})

test('a whole body is answered, and a body that is read as a stream may take its time', async () => {
  const { send } = await aServer()
  expect(String(await once(send('/held', 'complete'), 'data'))).toContain('200 OK')
  const slow = send('/streamed', 'half')
  // The other one is cut off after this one began, so the time of this one is over as well.
  await once(send('/held', 'half').resume(), 'close')
  slow.write('half')
  expect(String(await once(slow, 'data'))).toMatch(/200 OK[^]*\r\n8$/)
})
