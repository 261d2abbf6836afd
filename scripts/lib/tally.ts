import { existsSync, readFileSync } from 'node:fs'
import type { Outcome } from './command.ts'

export interface Tally {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

const nothing: Tally = { passed: 0, failed: 0, skipped: 0 }

export function add(...tallies: readonly Tally[]): Tally {
  return tallies.reduce(
    (sum, one) => ({
      passed: sum.passed + one.passed,
      failed: sum.failed + one.failed,
      skipped: sum.skipped + one.skipped,
    }),
    nothing,
  )
}

interface VitestReport {
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  numTodoTests: number
  numFailedTestSuites: number
  success: boolean
}

interface PlaywrightReport {
  stats: { expected: number; unexpected: number; flaky: number; skipped: number }
}

/** Counts what Vitest's JSON report says. A file that could not even be loaded counts as one failure. */
export function vitestTally(file: string): Tally {
  if (!existsSync(file)) return { ...nothing, failed: 1 }
  const report = JSON.parse(readFileSync(file, 'utf8')) as VitestReport
  const failed = report.numFailedTests > 0 || report.success ? report.numFailedTests : 1
  return { passed: report.numPassedTests, failed, skipped: report.numPendingTests + report.numTodoTests }
}

/** Counts what Playwright's JSON report says. A test that passed only at the second try has failed. */
export function playwrightTally(file: string): Tally {
  if (!existsSync(file)) return { ...nothing, failed: 1 }
  const { stats } = JSON.parse(readFileSync(file, 'utf8')) as PlaywrightReport
  return { passed: stats.expected, failed: stats.unexpected + stats.flaky, skipped: stats.skipped }
}

/** A check without tests inside (format, types, a build) is one thing that passes or fails. */
export function stepTally(outcomes: readonly Outcome[]): Tally {
  const passed = outcomes.filter((one) => one.ok).length
  return { passed, failed: outcomes.length - passed, skipped: 0 }
}

/** The closing line, alone on its line, as programs that watch this one expect it. */
export function tallyLine(tally: Tally): string {
  const skipped = tally.skipped > 0 ? `, ${tally.skipped} skipped` : ''
  return `${tally.passed} passed, ${tally.failed} failed${skipped}`
}
