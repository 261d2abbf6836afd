import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer, text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { createResponder, type Responder } from './testing/responder.ts'

const main = fileURLToPath(new URL('main.ts', import.meta.url))

async function serve(responder: Responder) {
  const server = createServer((request, response) => {
    void (async () => {
      const body = await buffer(request)
      const answer = responder.answer(request.url ?? '', request.headers, body)
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body)
    })()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function simulate(...args: string[]): Promise<{ code: number; out: string; error: string }> {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const [out, error, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code, out, error }
}

test('the program carries a fleet through a release over real HTTP and prints one summary', async () => {
  const responder = createResponder(() => new Date().toISOString())
  await using server = await serve(responder)
  const args = ['--server', server.url, '--token', 't', '--devices', '50', '--seed', '9', '--speed', '2000']
  const { code, out } = await simulate(...args, '--faults', 'none', '--jobs', '50')
  expect(code).toBe(0)
  const summary = JSON.parse(out) as { outcomes: object; enrolled: number; jobsOpen: number }
  expect(summary).toMatchObject({ devices: 50, enrolled: 50, outcomes: { committed: 50 }, jobsOpen: 0 })
  expect([...responder.devices.values()].every(({ reports }) => reports.length === 1)).toBe(true)
}, 60_000)

test('it says what is wrong with its options, and prints devices that are the same in every run', async () => {
  const wrong = await simulate('--server', 'http://localhost', '--faults', 'gremlins=3')
  expect(wrong.code).toBe(2)
  expect(wrong.error).toContain('gremlins=3')
  const [one, other] = await Promise.all([
    simulate('--print-devices', '--devices', '3', '--seed', '4'),
    simulate('--print-devices', '--devices', '3', '--seed', '4'),
  ])
  expect(one.out.trim().split('\n')).toHaveLength(3)
  expect(one.out).toBe(other.out)
}, 60_000)
