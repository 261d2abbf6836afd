import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { isRoot } from './user.ts'

const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'chrome']

/** The program of the system's Chromium or Chrome, or undefined. `CHROMIUM` names one elsewhere. */
export function findBrowser(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const named = env['CHROMIUM']
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  const candidates = [
    ...(named ? [named] : []),
    ...folders.flatMap((folder) => names.map((name) => join(folder, name))),
  ]
  return candidates.find(isProgram)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false // Not there or not ours to run: look at the next one.
  }
}

/** Playwright's launch options: the system's browser, whose sandbox does not work as root. */
export function launchOptions(browser: string): { executablePath: string; args: string[] } {
  return { executablePath: browser, args: isRoot() ? ['--no-sandbox'] : [] }
}

/** Finds the browser, or installs Debian's when we may; otherwise throws with the sentence that helps. */
export function needBrowser(): string {
  const found = findBrowser()
  if (found !== undefined) return found
  if (!isRoot() || spawnSync('apt-get', ['--version']).status !== 0) {
    throw new Error(
      'There is no Chromium on this machine. Install it (on Debian as root: apt-get install chromium) or set CHROMIUM to its path.',
    )
  }
  console.log('Installing Chromium from the Debian packages.')
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  for (const args of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', 'chromium'],
  ]) {
    const { status, stderr } = spawnSync('apt-get', args, { env, encoding: 'utf8' })
    if (status !== 0) throw new Error(`apt-get ${args.join(' ')} failed:\n${stderr}`)
  }
  const installed = findBrowser()
  if (installed === undefined) throw new Error('apt-get installed chromium, but no browser is on the path.')
  return installed
}
