import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startAgent } from '#scripts/lib/agent-process.ts'
import { agentProgram } from '#scripts/lib/build.ts'
import type { Bascule } from './bascule.ts'

const run = promisify(execFile)

/** A machine with a real agent, as somebody sees it who sits in front of it. */
export interface Device {
  readonly name: string
  /** What the program that is installed says of itself when it is run, or undefined when there is none. */
  runs(): Promise<string | undefined>
  /** Whether a file of the installed version is there. */
  has(file: string): boolean
  /** What `bascule-agent status` says. */
  status(): Promise<string>
}

export interface DevicePlan {
  readonly name: string
  readonly token: string
  /** What this device tells about itself besides what the agent finds. */
  readonly facts?: Readonly<Record<string, string | number | boolean>>
}

/** Starts one real agent, the bundled file, in a folder below the installation's; it ends with the installation. */
export async function startDevice(bascule: Bascule, plan: DevicePlan): Promise<Device> {
  const folder = join(bascule.dataFolder, 'devices', plan.name)
  bascule.add(await startAgent({ ...plan, folder, serverUrl: bascule.url, everyS: 1 }))
  const installed = (file: string) => join(folder, 'software', 'esbuild', 'current', file)
  return {
    name: plan.name,
    async runs() {
      if (!existsSync(installed('bin/esbuild'))) return undefined
      const { stdout } = await run(installed('bin/esbuild'), ['--version'])
      return stdout.trim()
    },
    has: (file) => existsSync(installed(file)),
    async status() {
      const { stdout } = await run(process.execPath, [agentProgram, 'status', '--data', join(folder, 'agent')])
      return stdout
    },
  }
}
