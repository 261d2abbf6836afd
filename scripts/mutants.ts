import { parseArgs } from 'node:util'
import { killerOf, mutants } from '@bascule/trust/testing/mutants.ts'

/**
 * `npm run mutants`: takes each check of a device's verification away, one at a time, and says which known attack
 * notices. One line per check; with `--json` for programs. Fails when one check could be missing unnoticed.
 */
const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } })

let survived = 0
for (const mutant of mutants) {
  const killer = await killerOf(mutant)
  const verdict = killer ? 'killed' : 'survived'
  if (!killer) survived += 1
  const line = { check: mutant.name, verdict, by: killer?.name ?? null }
  console.log(values.json ? JSON.stringify(line) : `${verdict.padEnd(8)} ${mutant.name.padEnd(36)} ${line.by ?? ''}`)
}
console.error(`${mutants.length} checks, ${survived} could be missing unnoticed`)
process.exitCode = survived === 0 ? 0 : 1
