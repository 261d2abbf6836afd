import { mkdir, writeFile } from 'node:fs/promises'
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
  /** Facts that are added to what the agent finds on this machine. */
  readonly facts?: Readonly<Record<string, string | number | boolean>>
  /** Longest time between two check-ins, so that somebody who watches sees something. */
  readonly everyS?: number
  /** A module that runs before the agent's first line: a bench counts with one. */
  readonly preload?: string
  readonly env?: Readonly<Record<string, string>>
}

/** Starts one real agent, the bundled file as it runs on a device, with everything it owns in one folder. */
export async function startAgent(options: AgentOptions): Promise<GuardedChild> {
  const factsFile = join(options.folder, 'facts.json')
  await mkdir(options.folder, { recursive: true })
  await writeFile(factsFile, JSON.stringify(options.facts ?? {}))
  const settings = {
    server: options.serverUrl,
    data: join(options.folder, 'agent'),
    root: join(options.folder, 'software'),
    name: options.name,
    every: String(options.everyS ?? 2),
    facts: factsFile,
  }
  const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])
  const preload = options.preload === undefined ? [] : ['--import', options.preload]
  return await startGuarded({
    name: `the agent ${options.name}`,
    command: [process.execPath, ...preload, agentProgram, 'run', ...flags],
    // Not as an argument: those are in the list of processes, for everybody to read.
    env: { ...options.env, BASCULE_TOKEN: options.token },
    logFile: join(options.folder, 'agent.log'),
  })
}
