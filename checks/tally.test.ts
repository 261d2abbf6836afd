import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { add, playwrightTally, stepTally, tallyLine, vitestTally } from '#scripts/lib/tally.ts'
import { afterAll, expect, test } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'tally-'))
afterAll(() => rmSync(folder, { recursive: true }))

function report(name: string, value: object): string {
  const file = join(folder, name)
  writeFileSync(file, JSON.stringify(value))
  return file
}

const vitest = { numPassedTests: 8, numFailedTests: 0, numPendingTests: 1, numTodoTests: 0, success: true }

test('the closing line adds up tests, journeys and steps', () => {
  const journeys = report('p.json', { stats: { expected: 3, unexpected: 0, flaky: 0, skipped: 0 } })
  const steps = stepTally([{ name: 'types', ok: true, seconds: 1, output: '' }])
  expect(tallyLine(add(vitestTally(report('v.json', vitest)), playwrightTally(journeys), steps))).toBe(
    '12 passed, 0 failed, 1 skipped',
  )
})

test('without skipped tests the closing line does not speak of them', () => {
  expect(tallyLine({ passed: 2, failed: 1, skipped: 0 })).toBe('2 passed, 1 failed')
})

test('a runner that left no report has failed', () => {
  expect(vitestTally(join(folder, 'none.json')).failed).toBe(1)
  expect(playwrightTally(join(folder, 'none.json')).failed).toBe(1)
})

test('a test file that could not be loaded counts as a failure, although no test in it failed', () => {
  expect(vitestTally(report('l.json', { ...vitest, success: false })).failed).toBe(1)
})

test('a journey that passed only at the second try has failed', () => {
  const flaky = report('f.json', { stats: { expected: 3, unexpected: 0, flaky: 1, skipped: 0 } })
  expect(playwrightTally(flaky)).toEqual({ passed: 3, failed: 1, skipped: 0 })
})
