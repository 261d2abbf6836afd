import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface MigrationFile {
  /** `0042_early_life_window.sql`; the order of the names is the order of the migrations. */
  readonly name: string
  readonly text: string
  readonly sha256: string
  /** The oldest program that still works after this migration, from a line `-- needs server >= 0.9`. */
  readonly needsServer: string | undefined
}

const namePattern = /^(\d{4})_[a-z0-9_]+\.sql$/

/** All migrations of a folder in their order. A name that does not fit, or a number given twice, throws. */
export function readMigrations(folder: string): readonly MigrationFile[] {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort()
  const numbers = new Map<string, string>()
  for (const name of names) {
    const number = namePattern.exec(name)?.[1]
    if (number === undefined) throw new Error(`migration ${name}: the name must look like 0042_early_life_window.sql`)
    const other = numbers.get(number)
    if (other !== undefined) throw new Error(`migrations ${other} and ${name} have the same number`)
    numbers.set(number, name)
  }
  return names.map((name) => readMigration(folder, name))
}

function readMigration(folder: string, name: string): MigrationFile {
  // A checkout on another system may have other line ends; that is no change of the migration.
  const text = readFileSync(join(folder, name), 'utf8').replaceAll('\r\n', '\n')
  const sha256 = createHash('sha256').update(text).digest('hex')
  return { name, text, sha256, needsServer: /^-- needs server >= ?(\d+(?:\.\d+)*)\s*$/m.exec(text)?.[1] }
}

/** One name for exactly this set of migrations. */
export function hashMigrations(migrations: readonly MigrationFile[]): string {
  const hash = createHash('sha256')
  for (const { name, sha256 } of migrations) hash.update(`${name} ${sha256}\n`)
  return hash.digest('hex')
}
