import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '#scripts/lib/root.ts'
import { expect, test } from 'vitest'
import { readTracked, trackedFiles } from './lib/tracked-files.ts'

const { scripts } = JSON.parse(readTracked('package.json')) as { scripts: Record<string, string> }

/** The npm commands that a page tells a reader to type. */
function commandsOf(page: string): string[] {
  const told = readTracked(page).matchAll(/\bnpm (?:run ([a-z][\w-]*)|(start|test))\b/g)
  return Array.from(told, ([, named, short]) => named ?? short ?? '')
}

test('the README tells the two commands', () => {
  expect(commandsOf('README.md')).toEqual(expect.arrayContaining(['start', 'test']))
})

test('every npm command that a page tells exists', () => {
  const unknown = trackedFiles(/\.md$/).flatMap((page) =>
    commandsOf(page)
      .filter((name) => !(name in scripts))
      .map((name) => `${page}: npm run ${name}`),
  )
  expect(unknown).toEqual([])
})

test('every command of package.json starts a file that is there', () => {
  const files = Object.values(scripts).flatMap((line) => /^node (\S+)/.exec(line)?.[1] ?? [])
  const missing = files
    .flatMap((file) => [file, file.replace(/\.mjs$/, '.ts')])
    .filter((file) => !existsSync(join(root, file)))
  expect(files.length).toBeGreaterThan(8)
  expect(missing).toEqual([])
})
