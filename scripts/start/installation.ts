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

/** Who tries Bascule on one machine wants to see a device move, and not wait for a quarter of an hour. */
const trialCheckInSeconds = '10'

/** Builds what is older than its sources, starts the server and, with a demo, its agents and its release. */
export async function startInstallation(options: StartOptions, programs: Programs, tell: Tell): Promise<Installation> {
  const [web, agent] = [await buildWeb(), await buildAgent()]
  if (web || agent) tell('Built the web pages and the agent')
  const goesOn = hasDemo(options.dataFolder)
  const environment = options.demo ? { environment: 'demo' } : {}
  const env = { BASCULE_CHECK_IN_SECONDS: process.env['BASCULE_CHECK_IN_SECONDS'] ?? trialCheckInSeconds }
  const server = await startServer(
    { dataFolder: options.dataFolder, port: options.port, env, ...environment },
    programs,
  )
  if (!options.demo) return { server, demo: undefined, signInLink: server.welcome }
  const demo = await startDemo(server, options, programs, tell)
  if (goesOn) tell('Going on where it was')
  return { server, demo, signInLink: await makeSignInLink(demo) }
}

async function startDemo(server: RunningServer, options: StartOptions, programs: Programs, tell: Tell): Promise<Demo> {
  const { dataFolder } = options
  const seeded = await seedDemo(server, options, tell)
  if (!seeded.state.started) tell('Seeding the demo: six devices enrol')
  const state = await startDemoAgents(seeded, dataFolder, programs)
  return { api: seeded.api, state: await startRelease(dataFolder, { api: seeded.api, state }) }
}
