import { execFile } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from './root.ts'

const run = promisify(execFile)
const packages = join(root, 'packages')

/** Newest change in a file or below a folder; built and fetched things do not count. */
function newestChange(path: string): number {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat) return 0
  if (!stat.isDirectory()) return stat.mtimeMs
  const names = readdirSync(path).filter((name) => !['node_modules', 'dist', '.cache'].includes(name))
  return Math.max(0, ...names.map((name) => newestChange(join(path, name))))
}

function isOlder(result: string, sources: readonly string[]): boolean {
  if (!existsSync(result)) return true
  const builtAt = statSync(result).mtimeMs
  return [...sources.map((name) => join(packages, name)), join(root, 'package-lock.json')].some(
    (source) => newestChange(source) > builtAt,
  )
}

async function build(what: string, args: readonly string[], cwd: string): Promise<void> {
  try {
    await run(process.execPath, args, { cwd, maxBuffer: 16_000_000 })
  } catch (cause) {
    const { stdout, stderr } = cause as { stdout: string; stderr: string }
    throw new Error(`Building ${what} failed:\n${stdout}${stderr}`, { cause })
  }
}

/** Builds the web's files when a source is newer. Returns whether it did. */
export async function buildWeb(): Promise<boolean> {
  if (!isOlder(join(packages, 'web', 'dist', 'index.html'), ['web', 'contract', 'domain', 'trust'])) return false
  await build(
    'the web',
    [join(root, 'node_modules', 'vite', 'bin', 'vite.js'), 'build', '--logLevel', 'warn'],
    join(packages, 'web'),
  )
  return true
}

/** The one file that runs on a device. */
export const agentProgram = join(packages, 'agent', 'dist', 'bascule-agent.mjs')

/** Bundles the agent when a source is newer. Returns whether it did. */
export async function buildAgent(): Promise<boolean> {
  if (!isOlder(agentProgram, ['agent', 'content', 'contract', 'domain', 'trust'])) return false
  await build('the agent', ['build.mjs'], join(packages, 'agent'))
  return true
}
