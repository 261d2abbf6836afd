import { readdirSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

// Fails the build when a page has become too heavy. The numbers are those of the design: a shell that loads on a shop's line.

const dist = new URL('dist/', import.meta.url)
const kB = 1000

const budgets = {
  shellScript: 175 * kB,
  shellStyle: 25 * kB,
  route: 60 * kB,
  fonts: 90 * kB,
  /** Whoever reads the signing page before trusting it reads all of it. */
  signPage: 60 * kB,
}

interface Chunk {
  file: string
  isEntry?: boolean
  isDynamicEntry?: boolean
  imports?: string[]
  css?: string[]
}

type Manifest = Readonly<Record<string, Chunk>>

const manifest = JSON.parse(readFileSync(new URL('.vite/manifest.json', dist), 'utf8')) as Manifest

function gzipBytes(file: string): number {
  return gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length
}

/** A chunk and all that must arrive before it runs. */
function withImports(name: string, seen = new Set<string>()): Set<string> {
  if (seen.has(name)) return seen
  seen.add(name)
  for (const each of manifest[name]?.imports ?? []) withImports(each, seen)
  return seen
}

function sum(files: Iterable<string>): number {
  return [...new Set(files)].reduce((bytes, file) => bytes + gzipBytes(file), 0)
}

function scriptsOf(names: Iterable<string>): string[] {
  return [...names].flatMap((name) => manifest[name]?.file ?? [])
}

function stylesOf(names: Iterable<string>): string[] {
  return [...names].flatMap((name) => manifest[name]?.css ?? [])
}

const entry = Object.keys(manifest).find((name) => manifest[name]?.isEntry === true)
if (entry === undefined) throw new Error('The build has no entry; run vite build first')
const shell = withImports(entry)

/** What the shell fetches by itself right after the first picture: palette, menus, dialogs, notices. Every page has them. */
const afterShell = new Set(
  Object.keys(manifest)
    .filter((name) => /src\/app\/|@mantine\/notifications/.test(name) && manifest[name]?.isDynamicEntry === true)
    .flatMap((name) => [...withImports(name)])
    .filter((name) => !shell.has(name)),
)

/** Only the latin subsets: the extended ones are loaded when a name needs them. */
const latinFonts = Object.values(manifest)
  .map((chunk) => chunk.file)
  .filter((file) => /-latin-wght-.*\.woff2$/.test(file))
const fontBytes = latinFonts.reduce((bytes, file) => bytes + readFileSync(new URL(file, dist)).length, 0)

const signPage = readdirSync(new URL('sign-page/assets/', dist))
  .filter((file) => /\.(?:js|css)$/.test(file))
  .map((file) => `sign-page/assets/${file}`)

const measured: [what: string, bytes: number, limit: number][] = [
  ['shell script', sum(scriptsOf(shell)), budgets.shellScript],
  ['shell style', sum(stylesOf(shell)), budgets.shellStyle],
  ['after the shell', sum([...scriptsOf(afterShell), ...stylesOf(afterShell)]), budgets.route],
  ['fonts', fontBytes, budgets.fonts],
  ['signing page', sum(signPage), budgets.signPage],
  ...Object.entries(manifest)
    .filter(([, chunk]) => chunk.isDynamicEntry === true)
    .map(([name]): [string, number, number] => {
      const own = [...withImports(name)].filter((each) => !shell.has(each) && !afterShell.has(each))
      return [`route ${name}`, sum([...scriptsOf(own), ...stylesOf(own)]), budgets.route]
    }),
]

const isOver = measured.some(([, bytes, limit]) => bytes > limit)
for (const [what, bytes, limit] of measured) {
  const over = bytes > limit
  process.stdout.write(
    `${over ? 'OVER ' : 'ok   '}${(bytes / kB).toFixed(1).padStart(7)} of ${limit / kB} kB  ${what}\n`,
  )
}
process.exitCode = isOver ? 1 : 0
