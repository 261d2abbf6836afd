import { runChecks } from './lib/checks.ts'
import { tellFailures } from './lib/command.ts'
import { tallyLine } from './lib/tally.ts'

/** `npm run check`: what every commit passes, in under a minute. */
const { outcomes, tally } = await runChecks()
tellFailures(outcomes)
console.log(`\n${tallyLine(tally)}`)
process.exitCode = tally.failed === 0 ? 0 : 1
