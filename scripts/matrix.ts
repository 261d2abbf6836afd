import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root } from './lib/root.ts'

/** `npm run matrix -- --json`: every durable call of one install, hit by every fault; the agent's own program does it. */
const matrix = join(root, 'packages', 'agent', 'src', 'crash', 'matrix.ts')
const { status } = spawnSync(process.execPath, [matrix, ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' })
process.exitCode = status ?? 1
