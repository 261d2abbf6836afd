import { buildAgent, buildWeb } from '../lib/build.ts'
import type { Programs } from '../lib/programs.ts'
import { startServer } from '../lib/server-process.ts'
import type { RunningServer } from '../lib/server-process.ts'
import { startDemoAgents } from './demo-agents.ts'
import { hasDemo } from './demo-state.ts'
import { makeSignInLink, seedDemo, startRelease } from './demo.ts'
import type { Demo } from './demo.ts'
import type { StartOptions } from './options.ts'

export interface Installation {
  readonly server: RunningServer
  /** Absent in an installation that was started empty. */
  readonly demo: Demo | undefined
  /** Opens the web for whoever holds it, once; absent when an empty installation has its administrator. */
  readonly signInLink: string | undefined
}

export type Tell = (sentence: string) => void

/** Builds what is older than its sources, starts the server and, with a demo, its agents and its release. */
export async function startInstallation(options: StartOptions, programs: Programs, tell: Tell): Promise<Installation> {
  const [web, agent] = [await buildWeb(), await buildAgent()]
  if (web || agent) tell('Built the web pages and the agent')
  const goesOn = hasDemo(options.dataFolder)
  const environment = options.demo ? { environment: 'demo' } : {}
  const server = await startServer({ dataFolder: options.dataFolder, port: options.port, ...environment }, programs)
  if (!options.demo) return { server, demo: undefined, signInLink: server.welcome }
  const demo = await startDemo(server, options.dataFolder, programs, tell)
  if (goesOn) tell('Going on where it was')
  return { server, demo, signInLink: await makeSignInLink(demo) }
}

async function startDemo(server: RunningServer, dataFolder: string, programs: Programs, tell: Tell): Promise<Demo> {
  const seeded = await seedDemo(server, dataFolder, tell)
  if (!seeded.state.started) tell('Seeding the demo: six devices enrol')
  const state = await startDemoAgents(seeded, dataFolder, programs)
  return { api: seeded.api, state: await startRelease(dataFolder, { api: seeded.api, state }) }
}
