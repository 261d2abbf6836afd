import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand, tell, tellFailures } from './lib/command.ts'
import type { Command, Outcome } from './lib/command.ts'
import { root } from './lib/root.ts'
import { stepTally, tallyLine } from './lib/tally.ts'

/** `npm run proof`: what takes too long for every commit, in under an hour. */
const script = (name: string, ...args: string[]): Command => ({
  name: [name, ...args].join(' '),
  run: [process.execPath, join(root, 'scripts', `${name}.ts`), ...args],
})

/** Fuzzers and mutants are run when they are there; one that is missing is named, not passed over. */
function whenPresent(name: string): Command[] {
  if (existsSync(join(root, 'scripts', `${name}.ts`))) return [script(name)]
  console.log(`-      ${name.padEnd(28)} none yet`)
  return []
}

/** The database tests once more on an older PostgreSQL of the system, because every statement must run on 15. */
function onOlderPostgres(): Command[] {
  const folder = '/usr/lib/postgresql'
  const versions = existsSync(folder) ? readdirSync(folder).map(Number) : []
  const oldest = Math.min(...versions.filter((version) => version >= 15))
  if (!Number.isFinite(oldest)) {
    console.log(`-      ${'PostgreSQL 15'.padEnd(28)} not on this machine`)
    return []
  }
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const env = { BASCULE_TEST_POSTGRES: join(folder, String(oldest), 'bin') }
  return [{ name: `PostgreSQL ${oldest}`, run: [process.execPath, vitest, 'run', '--project', 'pg'], env }]
}

const commands = [
  ...onOlderPostgres(),
  script('matrix', '--json', '--every', '3'),
  script('demo', '--json'),
  ...whenPresent('fuzz'),
  ...whenPresent('mutants'),
  script('fresh'),
]
const outcomes: Outcome[] = []
for (const command of commands) {
  const outcome = await runCommand(command)
  tell(outcome)
  outcomes.push(outcome)
}
tellFailures(outcomes)
const tally = stepTally(outcomes)
console.log(`\n${tallyLine(tally)}`)
process.exitCode = tally.failed === 0 ? 0 : 1
