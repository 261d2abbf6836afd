import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** What the demo remembers between starts. Written before each step that must not be done twice. */
export interface DemoState {
  readonly admin: { readonly email: string; readonly password: string }
  /** Devices whose agent knows who it is; it needs no token any more. */
  readonly enrolled: readonly string[]
  readonly releaseId?: string
  readonly started?: boolean
}

/** Everything of the demo that is not the server's own. */
export function demoFolder(dataFolder: string): string {
  return join(dataFolder, 'demo')
}

function stateFile(dataFolder: string): string {
  return join(demoFolder(dataFolder), 'demo.json')
}

export function hasDemo(dataFolder: string): boolean {
  return existsSync(stateFile(dataFolder))
}

export async function readDemo(dataFolder: string): Promise<DemoState> {
  return JSON.parse(await readFile(stateFile(dataFolder), 'utf8')) as DemoState
}

/** Replaces the file as a whole, so that a start that is killed finds the step before or the step after. */
export async function writeDemo(dataFolder: string, state: DemoState): Promise<DemoState> {
  const file = stateFile(dataFolder)
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await writeFile(`${file}.new`, JSON.stringify(state, null, 2), { mode: 0o600 })
  await rename(`${file}.new`, file)
  return state
}
