import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand, runTogether, tell } from './command.ts'
import type { Command, Outcome } from './command.ts'
import { root } from './root.ts'
import { add, stepTally, vitestTally } from './tally.ts'
import type { Tally } from './tally.ts'

const reports = join(root, '.cache', 'reports')
const modules = join(root, 'node_modules')
const node = process.execPath

/** The programs of the tool chain are started by file, so that no shell and no global installation has a say. */
const tools = {
  oxfmt: join(modules, 'oxfmt', 'bin', 'oxfmt'),
  oxlint: join(modules, 'oxlint', 'bin', 'oxlint'),
  tsc: join(modules, 'typescript', 'bin', 'tsc'),
  knip: join(modules, 'knip', 'bin', 'knip.js'),
  vitest: join(modules, 'vitest', 'vitest.mjs'),
}

export interface StageResult {
  readonly outcomes: readonly Outcome[]
  readonly tally: Tally
}

/** Where a runner writes its JSON report; an old one is removed first, so that it can never be counted again. */
export function reportFile(name: string): string {
  mkdirSync(reports, { recursive: true })
  const file = join(reports, `${name}.json`)
  rmSync(file, { force: true })
  return file
}

/** Format, lint, types, unused code and pure tests: what every commit passes. */
export async function runChecks(): Promise<StageResult> {
  const steps: Command[] = [
    { name: 'lint', run: [node, tools.oxlint, '--type-aware'] },
    { name: 'types', run: [node, tools.tsc, '-b'] },
    { name: 'unused code', run: [node, tools.knip] },
    { name: 'format', run: [node, tools.oxfmt, '--check'] },
  ]
  const outcomes = await runTogether(steps, 2)
  const unit = await runVitest('unit')
  return { outcomes: [...outcomes, ...unit.outcomes], tally: add(stepTally(outcomes), unit.tally) }
}

/** One Vitest project; its own reporter's text is shown only when something failed. */
export async function runVitest(project: string): Promise<StageResult> {
  const report = reportFile(`vitest-${project}`)
  const outcome = await runCommand({
    name: `${project} tests`,
    run: [
      node,
      tools.vitest,
      'run',
      '--project',
      project,
      // Pure tests keep both cores busy; what shares a database or kills programs runs file by file.
      ...(project === 'unit' ? ['--maxWorkers=100%'] : []),
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ],
  })
  tell(outcome)
  const tally = vitestTally(report)
  // A runner that fails without a failed test (a crash, an unhandled error) is a failure as well.
  return { outcomes: [outcome], tally: outcome.ok || tally.failed > 0 ? tally : { ...tally, failed: 1 } }
}
