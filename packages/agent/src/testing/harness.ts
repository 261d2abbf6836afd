import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Report, Wait } from '@bascule/contract/device/protocol.ts'
import { isTerminalStep } from '@bascule/domain/deliver/agent-step.ts'
import { onTestFinished } from 'vitest'
import { agentProgram, startAgent, type AgentProcess, type AgentStart } from './agent-process.ts'
import { customOf, type TestRelease } from './test-release.ts'
import { startTestServer, type TestServer } from './test-server.ts'

/** What the tests with real processes share. Everything that is begun here ends with its test. */
export function buildAgent(): void {
  execFileSync(process.execPath, [path.join(import.meta.dirname, '../../build.mjs')], { stdio: 'inherit' })
}

export interface AgentFolder {
  readonly path: string
  readonly data: string
  readonly root: string
}

export function aFolder(): AgentFolder {
  const folder = mkdtempSync(path.join(tmpdir(), 'bascule-agent-'))
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  return { path: folder, data: path.join(folder, 'data'), root: path.join(folder, 'root') }
}

export function anAgent(start: AgentStart): AgentProcess {
  const agent = startAgent(start)
  onTestFinished(async () => {
    await agent.stop()
  })
  return agent
}

export async function aServer(): Promise<TestServer> {
  const server = await startTestServer()
  onTestFinished(async () => {
    await server[Symbol.asyncDispose]()
  })
  return server
}

/** A server whose board lets this release out, and that orders it as job 1. */
export async function aServerWith(release: TestRelease): Promise<TestServer> {
  const server = await aServer()
  server.assign([{ release, custom: customOf(release, '1') }])
  return server
}

/** Another place to get files from, which need not be honest. */
export async function aRelay(answer: RequestListener): Promise<string> {
  const relay = createServer(answer).listen(0, '127.0.0.1')
  await once(relay, 'listening')
  onTestFinished(() => {
    relay.close()
    relay.closeAllConnections()
  })
  return `http://127.0.0.1:${(relay.address() as AddressInfo).port}`
}

export function reportsOf(server: TestServer, job: string): Report[] {
  return [...server.state.reports.values()].filter((report) => report.job === job)
}

export function endOf(server: TestServer, job: string): Report | undefined {
  return reportsOf(server, job).find(({ step }) => isTerminalStep(step))
}

export function stuckOf(server: TestServer, job: string): Report['stuck'] {
  return reportsOf(server, job).find(({ step }) => step === 'needs-admin')?.stuck
}

/** The last thing that a job was told to wait for because the boards did not let it through. */
export function refusedWaitOf(server: TestServer, job: string): Wait | undefined {
  return reportsOf(server, job).findLast(({ wait }) => wait?.refusal)?.wait
}

/** What `bascule-agent status` says about a data folder. */
export function statusOf({ data }: AgentFolder, ...args: string[]): string {
  return spawnSync(process.execPath, [agentProgram, 'status', '--data', data, ...args]).stdout.toString('utf8')
}
