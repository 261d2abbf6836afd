import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { root } from './root.ts'

const dist = join(root, 'packages', 'web', 'dist')

interface Chunk {
  file: string
  isEntry?: boolean
  isDynamicEntry?: boolean
  imports?: string[]
  css?: string[]
  assets?: string[]
}
type Manifest = Record<string, Chunk>

export interface Budget {
  readonly what: string
  readonly bytes: number
  readonly limitBytes: number
}

const kB = 1000

/** What a browser must fetch, compressed, against what it may: the shell, every route beyond it, and the fonts. */
export function measureBudgets(): Budget[] {
  const manifest = JSON.parse(readFileSync(join(dist, '.vite', 'manifest.json'), 'utf8')) as Manifest
  const entry = Object.keys(manifest).find((key) => manifest[key]?.isEntry)
  if (entry === undefined) throw new Error('The built web has no entry.')
  const shell = withImports(manifest, entry)
  const routes = Object.keys(manifest).filter((key) => manifest[key]?.isDynamicEntry)
  return [
    { what: 'shell script', bytes: compressed(scripts(manifest, shell)), limitBytes: 175 * kB },
    { what: 'shell style', bytes: compressed(styles(manifest, shell)), limitBytes: 25 * kB },
    ...routes.map((key) => {
      const own = withImports(manifest, key).filter((one) => !shell.includes(one))
      return {
        what: `route ${key}`,
        bytes: compressed([...scripts(manifest, own), ...styles(manifest, own)]),
        limitBytes: 60 * kB,
      }
    }),
    { what: 'fonts of a Latin page', bytes: plain(latinFonts()), limitBytes: 90 * kB },
  ]
}

function withImports(manifest: Manifest, key: string, seen: string[] = []): string[] {
  if (seen.includes(key)) return seen
  seen.push(key)
  for (const next of manifest[key]?.imports ?? []) withImports(manifest, next, seen)
  return seen
}

function scripts(manifest: Manifest, keys: readonly string[]): string[] {
  return keys.flatMap((key) => manifest[key]?.file ?? []).filter((file) => file.endsWith('.js'))
}

function styles(manifest: Manifest, keys: readonly string[]): string[] {
  return [...new Set(keys.flatMap((key) => manifest[key]?.css ?? []))]
}

/** The browser loads a subset only when a page has its letters; ours have Latin. */
function latinFonts(): string[] {
  return readdirSync(join(dist, 'assets'))
    .filter((name) => /-latin-[^/]*\.woff2$/.test(name) && !name.includes('latin-ext') && !name.includes('italic'))
    .map((name) => join('assets', name))
}

function compressed(files: readonly string[]): number {
  return files.reduce((sum, file) => sum + gzipSync(readFileSync(join(dist, file)), { level: 9 }).length, 0)
}

function plain(files: readonly string[]): number {
  return files.reduce((sum, file) => sum + readFileSync(join(dist, file)).length, 0)
}
