import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startAgent as startAgentProgram } from '#scripts/lib/agent-process.ts'
import { buildAgent, buildWeb } from '#scripts/lib/build.ts'
import type { GuardedChild } from '#scripts/lib/guarded-child.ts'
import { createPrograms } from '#scripts/lib/programs.ts'
import type { Programs } from '#scripts/lib/programs.ts'
import { startServer } from '#scripts/lib/server-process.ts'
import type { RunningServer } from '#scripts/lib/server-process.ts'
import { connectApi } from '#scripts/start/api.ts'
import type { Api } from '#scripts/start/api.ts'

export const administrator = { name: 'Ada Keeper', email: 'ada@example.test', password: 'a long password for a test' }

/** A real installation: server, signer, PostgreSQL and the built web, in a folder of its own on a free port. */
export interface Bascule extends AsyncDisposable {
  readonly url: string
  /** Where the first administrator begins; it works once. */
  readonly signInLink: string
  readonly dataFolder: string
  readonly server: RunningServer
  readonly programs: Programs
  stop(): Promise<void>
}

export async function startBascule(options: { readonly data?: string } = {}): Promise<Bascule> {
  await buildWeb()
  await buildAgent()
  const own = options.data === undefined ? await mkdtemp(join(tmpdir(), 'bascule-e2e-')) : undefined
  const dataFolder = options.data ?? join(own ?? '', 'data')
  const programs = createPrograms()
  const server = await startServer({ dataFolder, port: 0, environment: 'test' }, programs)
  const stop = async () => {
    await programs.stop()
    if (own !== undefined) await rm(own, { recursive: true, force: true })
  }
  const signInLink = server.welcome ?? `${server.url}/sign-in`
  return { url: server.url, signInLink, dataFolder, server, programs, stop, [Symbol.asyncDispose]: stop }
}

/** Becomes the first administrator without a browser and returns the API with a key, for what a journey takes as given. */
export async function claimAdministrator(bascule: Bascule): Promise<Api> {
  const code = new URL(bascule.signInLink).searchParams.get('code')
  const api = connectApi(bascule.url)
  await api.post('/platform/welcome', { code, ...administrator, timeZone: 'Europe/London' })
  const cookie = await signIn(bascule.url)
  const { key } = await api
    .as({ cookie })
    .post<{ key: string }>('/platform/api-keys', { name: 'journey', role: 'administrator' })
  return connectApi(bascule.url, { authorization: `Bearer ${key}` })
}

async function signIn(url: string): Promise<string> {
  const { email, password } = administrator
  const answer = await fetch(`${url}/api/auth/sign-in/email`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: url },
    body: JSON.stringify({ email, password }),
  })
  if (!answer.ok) throw new Error(`Signing in failed: ${answer.status} ${await answer.text()}`)
  return answer.headers
    .getSetCookie()
    .map((one) => one.split(';')[0])
    .join('; ')
}

/** One real agent in a folder below the installation's; it ends with the installation. */
export async function startAgent(bascule: Bascule, agent: { name: string; token?: string }): Promise<GuardedChild> {
  const folder = join(bascule.dataFolder, 'devices', agent.name)
  const program = await startAgentProgram({ ...agent, folder, serverUrl: bascule.url })
  bascule.programs.add(program)
  return program
}
