import { expect, test } from 'vitest'

import type { MigrationFile } from './migration-files.ts'
import { compareVersions, planMigrations } from './migration-plan.ts'
import type { AppliedMigration } from './migration-plan.ts'

const file = (name: string, sha256 = name): MigrationFile => ({ name, sha256, text: '', needsServer: undefined })
const row = (name: string, needsServer = '0.1', sha256 = name): AppliedMigration => ({ name, sha256, needsServer })

const [a, b] = ['0001_a.sql', '0002_b.sql']

test('what the database does not remember is pending, in order', () => {
  expect(planMigrations([file(a), file(b)], [], '0.1')).toMatchObject({
    pending: [{ name: a }, { name: b }],
    ahead: [],
  })
  expect(planMigrations([file(a), file(b)], [row(a)], '0.1')).toMatchObject({ pending: [{ name: b }] })
})

test('a changed migration is refused by name', () => {
  expect(() => planMigrations([file(a, 'other')], [row(a)], '0.1')).toThrow(/0001_a\.sql was changed/)
})

test('a migration that comes before one already applied is refused', () => {
  expect(() => planMigrations([file(a), file(b)], [row(b)], '0.1')).toThrow(/different histories/)
})

test('the previous program works on a database that is ahead, if the newer migrations allow it', () => {
  expect(planMigrations([file(a)], [row(a), row(b, '0.9')], '0.9.3')).toEqual({ pending: [], ahead: [b] })
  expect(() => planMigrations([file(a)], [row(a), row(b, '0.10')], '0.9.3')).toThrow(/needs Bascule 0\.10 or newer/)
})

test('versions compare by number and not by letter', () => {
  expect(compareVersions('0.10.0', '0.9')).toBeGreaterThan(0)
  expect(compareVersions('1', '1.0.0')).toBe(0)
  expect(compareVersions('0.9.9', '1.0')).toBeLessThan(0)
})
