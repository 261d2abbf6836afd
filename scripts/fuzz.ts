import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root } from './lib/root.ts'

/**
 * The fuzzers of `npm test`, for longer and from another seed each time. A failure names its seed;
 * `FUZZ_SEED=<seed>` tries the same again, `FUZZ_SECONDS` says for how long.
 */
const seconds = process.env['FUZZ_SECONDS'] ?? '180'
const seed = process.env['FUZZ_SEED'] ?? String(Math.floor(Date.now() / 1000) % 1_000_000_000)
console.log(`fuzzing for ${seconds} seconds from seed ${seed}`)
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
const { status } = spawnSync(
  process.execPath,
  [vitest, 'run', '--project', 'pg', 'packages/server/src/platform/http/fuzz'],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, FUZZ_SECONDS: seconds, FUZZ_SEED: seed },
  },
)
process.exitCode = status ?? 1
