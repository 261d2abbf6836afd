import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { agentProgram, buildAgent } from '#scripts/lib/build.ts'
import { memoryOf, print, printMachine, round, spreadOf } from './lib/report.ts'

/**
 * What the agent costs on a device: from its start to its first request on the wire, and its memory when it rests.
 * Beside it, in turns, a bare Node that makes one request and waits.
 */
const runs = 7
const restMs = 1500

interface Run {
  readonly startMs: number
  readonly rssMb: number
  readonly pssMb: number
  readonly privateMb: number
}

async function measure(args: (url: string, folder: string) => string[]): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-agent-'))
  const server = createServer()
  const asked = once(server, 'request') as Promise<[unknown, ServerResponse]>
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const startedAt = performance.now()
  const child = spawn(process.execPath, args(`http://127.0.0.1:${port}`, folder), { stdio: 'ignore' })
  try {
    const [, response] = await asked
    const startMs = performance.now() - startedAt
    response.writeHead(503, { 'retry-after': '60' }).end()
    await sleep(restMs)
    return { startMs, ...memoryOf(child.pid ?? 0) }
  } finally {
    child.kill('SIGKILL')
    await once(child, 'close')
    server.closeAllConnections()
    server.close()
    rmSync(folder, { recursive: true })
  }
}

const agent = (url: string, folder: string): string[] => {
  const settings = { server: url, token: 'none', data: join(folder, 'data'), root: join(folder, 'root'), every: '60' }
  return [agentProgram, 'run', ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])]
}
const bare = (url: string): string[] => [
  '-e',
  `await fetch('${url}', { method: 'POST', body: '{}' }); setInterval(() => {}, 1e6)`,
]

await buildAgent()
printMachine('agent')
const results: { agent: Run[]; bare: Run[] } = { agent: [], bare: [] }
for (let at = 0; at < runs; at += 1) {
  results.agent.push(await measure(agent))
  results.bare.push(await measure(bare))
}
const spreads = (of: readonly Run[]) => ({
  startMs: spreadOf(of.map(({ startMs }) => startMs)),
  rssMb: spreadOf(of.map(({ rssMb }) => rssMb)),
  pssMb: spreadOf(of.map(({ pssMb }) => pssMb)),
  privateMb: spreadOf(of.map(({ privateMb }) => privateMb)),
})
const [ours, node] = [spreads(results.agent), spreads(results.bare)]
print({ bench: 'agent', what: 'agent', ...ours })
print({ bench: 'agent', what: 'bare node', ...node })
print({
  bench: 'agent',
  what: 'ratio of medians, agent to bare node',
  start: round(ours.startMs.median / node.startMs.median),
  rss: round(ours.rssMb.median / node.rssMb.median),
  private: round(ours.privateMb.median / node.privateMb.median),
})
