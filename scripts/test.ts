import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { needBrowser } from './lib/browser.ts'
import { reportFile, runChecks, runVitest } from './lib/checks.ts'
import type { StageResult } from './lib/checks.ts'
import { runCommand, tell, tellFailures } from './lib/command.ts'
import { root } from './lib/root.ts'
import { add, playwrightTally, stepTally, tallyLine } from './lib/tally.ts'

/**
 * `npm test`: every check and every test, in under 15 minutes. `--quick` leaves out what needs a browser and what kills
 * programs; `npm run fresh` uses it, so that a proof does not run the long tests twice.
 */
const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })

async function step(name: string, file: string): Promise<StageResult> {
  const outcome = await runCommand({ name, run: [process.execPath, join(root, file)] })
  tell(outcome)
  return { outcomes: [outcome], tally: stepTally([outcome]) }
}

/** The browser is looked for first: a missing one is told before minutes have passed. */
async function journeys(): Promise<StageResult> {
  const report = reportFile('playwright')
  const outcome = await runCommand({
    name: 'journeys in a browser',
    run: [process.execPath, join(root, 'node_modules', '@playwright', 'test', 'cli.js'), 'test'],
    env: { PLAYWRIGHT_JSON_OUTPUT_FILE: report },
  })
  tell(outcome)
  const tally = playwrightTally(report)
  return { outcomes: [outcome], tally: outcome.ok || tally.failed > 0 ? tally : { ...tally, failed: 1 } }
}

function browserStep(): StageResult {
  try {
    console.log(`Browser: ${needBrowser()}`)
    return { outcomes: [], tally: stepTally([]) }
  } catch (cause) {
    const failed = { name: 'browser', ok: false, seconds: 0, output: (cause as Error).message }
    return { outcomes: [failed], tally: stepTally([failed]) }
  }
}

const startedAt = performance.now()
const stages: StageResult[] = []
const browser = values.quick ? undefined : browserStep()
if (browser) stages.push(browser)
stages.push(await runChecks(), await runVitest('sim'))
// Each of the two goes file by file and mostly waits, for a disk or for a program that comes back; side by side they fit two cores.
stages.push(...(await Promise.all([runVitest('pg'), ...(values.quick ? [] : [runVitest('crash')])])))
stages.push(await step('build', 'scripts/build.ts'), await step('budgets', 'packages/web/check-budget.ts'))
if (browser?.tally.failed === 0) stages.push(await journeys())

const tally = add(...stages.map((stage) => stage.tally))
tellFailures(stages.flatMap((stage) => stage.outcomes))
console.log(`\nIn ${Math.round((performance.now() - startedAt) / 1000)} s:\n${tallyLine(tally)}`)
process.exitCode = tally.failed === 0 ? 0 : 1
