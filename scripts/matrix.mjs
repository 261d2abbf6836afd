import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'

/**
 * The full crash matrix of the agent: `npm run matrix -- --json` stops the shipped agent at every durable call in every
 * way and prints one JSON summary; a violation makes the exit code 1. `--every 5` takes every fifth call,
 * `--faults kill,ENOSPC,EIO,EROFS,power-all,power-bytes` and `--scenarios …` choose.
 */
const root = path.join(import.meta.dirname, '..')
const pinned = path.join(root, 'node_modules', '.bin', 'node')
const node = existsSync(pinned) ? pinned : process.execPath

function run(args, stdio) {
  const { status, error } = spawnSync(node, args, { cwd: root, stdio })
  if (error) throw new Error(`Starting ${args[0]}: ${error.message}`, { cause: error })
  return status ?? 1
}

const built = run(['packages/agent/build.mjs'], ['ignore', 'inherit', 'inherit'])
process.exitCode =
  built === 0 ? run(['packages/agent/src/crash/matrix.ts', ...process.argv.slice(2)], 'inherit') : built
