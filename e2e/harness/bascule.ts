import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildAgent, buildWeb } from '#scripts/lib/build.ts'
import type { GuardedChild } from '#scripts/lib/guarded-child.ts'
import { startServer } from '#scripts/lib/server-process.ts'
import type { RunningServer } from '#scripts/lib/server-process.ts'

/** A real installation: server, signer, PostgreSQL and the built web, in a folder of its own on a free port. */
export interface Bascule extends AsyncDisposable {
  readonly url: string
  /** Where the first administrator begins; it works once. */
  readonly welcomeLink: string
  readonly dataFolder: string
  /** Ends with the installation. */
  add(agent: GuardedChild): void
  /** `kill -9` of the server and of nothing else: its database and its signer are left to themselves. */
  kill(): Promise<void>
  /** The next start on the same folder and the same port. */
  startAgain(): Promise<void>
}

export async function startBascule(): Promise<Bascule> {
  await buildWeb()
  await buildAgent()
  const folder = await mkdtemp(join(tmpdir(), 'bascule-e2e-'))
  const dataFolder = join(folder, 'data')
  const start = (port: number): Promise<RunningServer> => startServer({ dataFolder, port, environment: 'test' })
  const agents: GuardedChild[] = []
  let server = await start(0)
  let isKilled = false
  const { url, welcome } = server
  if (welcome === undefined) throw new Error('A server on an empty folder printed no link for its first administrator.')
  const startAgain = async () => {
    server = await start(Number(new URL(url).port))
    isKilled = false
  }
  return {
    url,
    welcomeLink: welcome,
    dataFolder,
    add: (agent) => void agents.push(agent),
    async kill() {
      isKilled = true
      process.kill(server.process.pid, 'SIGKILL')
      await server.process.ended
    },
    startAgain,
    async [Symbol.asyncDispose]() {
      await Promise.all(agents.map((agent) => agent.stop()))
      // A killed server has left its database running; only the next server can stop it in good order.
      if (isKilled) await startAgain()
      await server.process.stop()
      await rm(folder, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}
