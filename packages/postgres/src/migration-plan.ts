import type { MigrationFile } from './migration-files.ts'
import { startRefusal } from './refusal.ts'

/** A row of the table `migration`. */
export interface AppliedMigration {
  readonly name: string
  readonly sha256: string
  /** The oldest program that still works on the schema after it. */
  readonly needsServer: string
}

export interface MigrationPlan {
  readonly pending: readonly MigrationFile[]
  /** What a newer program has done to the database; its migrations allow this program to work on it. */
  readonly ahead: readonly string[]
}

/**
 * What is to be done, from what the program brings and what the database remembers. One of the two must be the
 * beginning of the other: an applied file never changes, never goes and never gets a predecessor afterwards.
 */
export function planMigrations(
  files: readonly MigrationFile[],
  applied: readonly AppliedMigration[],
  programVersion: string,
): MigrationPlan {
  for (const [index, row] of applied.entries()) {
    const file = files[index]
    if (file !== undefined) refuseDifference(file, row)
    else refuseIfTooOld(row, programVersion)
  }
  return { pending: files.slice(applied.length), ahead: applied.slice(files.length).map((row) => row.name) }
}

function refuseDifference(file: MigrationFile, row: AppliedMigration): void {
  if (file.name !== row.name) {
    throw startRefusal(
      'migration-missing',
      `The database was migrated with ${row.name} where this program brings ${file.name}. They have different ` +
        'histories: start the program that belongs to this database, or restore its backup.',
    )
  }
  if (file.sha256 !== row.sha256) {
    throw startRefusal(
      'migration-changed',
      `The migration ${file.name} was changed after it was applied to this database. Put the file back as it was ` +
        'and write a new migration for the change.',
    )
  }
}

function refuseIfTooOld(row: AppliedMigration, programVersion: string): void {
  if (compareVersions(programVersion, row.needsServer) >= 0) return
  throw startRefusal(
    'program-too-old',
    `The database was migrated by ${row.name} and now needs Bascule ${row.needsServer} or newer; this is ` +
      `${programVersion}. Start the newer program, or restore the backup made before the upgrade.`,
  )
}

/** Numbers between dots, compared from the left; what is missing counts as 0. */
export function compareVersions(a: string, b: string): number {
  const left = a.split('.').map(Number)
  const right = b.split('.').map(Number)
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
