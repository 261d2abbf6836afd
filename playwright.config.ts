import { defineConfig } from '@playwright/test'
import { findBrowser, launchOptions } from '#scripts/lib/browser.ts'

const browser = findBrowser()
if (browser === undefined) throw new Error('There is no Chromium on this machine; npm test says how to get one.')

export default defineConfig({
  testDir: 'e2e',
  testMatch: '*.e2e.ts',
  outputDir: '.cache/e2e',
  // Two cores carry a browser, a server, PostgreSQL and agents; two journeys at once would only wait for each other.
  workers: 1,
  timeout: 180_000,
  expect: { timeout: 15_000 },
  forbidOnly: process.env['CI'] !== undefined,
  retries: 0,
  // `npm test` counts from the JSON report, whose file it names in the environment.
  reporter: process.env['PLAYWRIGHT_JSON_OUTPUT_FILE'] ? [['list'], ['json']] : [['list']],
  use: {
    launchOptions: launchOptions(browser),
    viewport: { width: 1440, height: 900 },
    // A step that cannot be done is told soon, and not when the whole journey's time is over.
    actionTimeout: 30_000,
    locale: 'en-GB',
    timezoneId: 'Europe/London',
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
  },
})
