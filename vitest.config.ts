import { defineConfig } from 'vitest/config'

/** What a file needs is in its suffix; a plain `.test.ts` is pure and needs nothing but the processor. */
const needy = ['**/*.pg.test.ts', '**/*.crash.test.ts', '**/*.sim.test.ts', '**/*.browser.test.tsx']
const outside = ['**/node_modules/**', '**/dist/**', '**/data/**', '**/.cache/**']

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'checks/**/*.test.ts'],
          exclude: [...outside, ...needy],
          // Pure tests share a process and its modules: a quarter less work, and one that leaves something behind shows.
          isolate: false,
          // Tests wait for events, never for time; a busy machine must not fail them.
          testTimeout: 60_000,
        },
      },
      { test: { name: 'sim', include: ['packages/*/src/**/*.sim.test.ts'], exclude: outside, testTimeout: 120_000 } },
      {
        test: {
          name: 'pg',
          include: ['packages/*/src/**/*.pg.test.ts'],
          exclude: outside,
          globalSetup: ['packages/testkit/src/pg-global-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'crash',
          include: ['packages/*/src/**/*.crash.test.ts'],
          exclude: outside,
          testTimeout: 300_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
