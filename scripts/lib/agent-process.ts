import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { agentProgram } from './build.ts'
import { startGuarded } from './guarded-child.ts'
import type { GuardedChild } from './guarded-child.ts'

export interface AgentOptions {
  readonly name: string
  readonly folder: string
  readonly serverUrl: string
  /** Needed once, for the enrolment. */
  readonly token?: string
  readonly onLine?: (line: string) => void
}

/** Starts one real agent, the bundled file as it runs on a device, in a folder of its own. */
export async function startAgent(options: AgentOptions): Promise<GuardedChild> {
  await mkdir(options.folder, { recursive: true })
  const token = options.token === undefined ? [] : ['--token', options.token]
  return await startGuarded({
    name: `the agent ${options.name}`,
    command: [
      process.execPath,
      agentProgram,
      'run',
      '--server',
      options.serverUrl,
      '--data',
      join(options.folder, 'agent'),
      '--name',
      options.name,
      ...token,
    ],
    logFile: join(options.folder, 'agent.log'),
    ...(options.onLine ? { onLine: options.onLine } : {}),
  })
}
