import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { expect, test } from 'vitest'

/** What pages that sign may load. Whatever these import runs in a browser as well. */
const browserSafe = [
  'canonical.ts',
  'expiry.ts',
  'key-id.ts',
  'plain-sha256.ts',
  'statement-form.ts',
  'web-signatures.ts',
  'client/memory.ts',
  'client/memory-checks.ts',
  'tuf/board-draft.ts',
  'tuf/build.ts',
  'tuf/decision.ts',
  'tuf/decision-words.ts',
  'tuf/document-soundness.ts',
  'tuf/documents.ts',
  'tuf/draft.ts',
  'tuf/flows/board-flows.ts',
  'tuf/flows/custodian-flows.ts',
  'tuf/flows/first-ceremony.ts',
  'tuf/flows/members.ts',
  'tuf/flows/proposal.ts',
  'tuf/key-rules.ts',
  'tuf/lifetimes.ts',
  'tuf/names.ts',
  'tuf/quorums.ts',
  'tuf/read-manifest.ts',
  'tuf/repository-checks.ts',
  'tuf/repository-state.ts',
  'tuf/review-any.ts',
  'tuf/review-ceremony.ts',
  'tuf/root-draft.ts',
  'tuf/verify-bundle.ts',
]
const source = import.meta.dirname
const packages = join(source, '..', '..')

/** Bare modules that browsers get from their bundle. */
const fromBundle = new Set(['zod'])

/** The imports of a file that are there at run time. `import { type X }` keeps the module, `import type` does not. */
function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8')
  const found = text.matchAll(
    /^import\s+(?!type\b)(?:[^'"]*?from\s+)?['"]([^'"]+)['"]|^export\s+(?:\{[^}]*\}|\*[^'"]*?)\s*from\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm,
  )
  return Array.from(found, ([, loaded, passedOn, later]) => loaded ?? passedOn ?? later ?? '')
}

function resolved(file: string, target: string): string | undefined {
  if (target.startsWith('./') || target.startsWith('../')) return join(dirname(file), target)
  const own = /^.*\/packages\/[^/]+\/src/.exec(file)?.[0] ?? source
  if (target.startsWith('#/')) return join(own, target.slice(2))
  const other = /^@bascule\/([^/]+)\/(.+)$/.exec(target)
  return other ? join(packages, other[1] ?? '', 'src', other[2] ?? '') : undefined
}

/** Everything that a file loads and a browser does not have, each with the file that asks for it. */
function strangersOf(file: string, seen = new Set<string>()): string[] {
  if (seen.has(file)) return []
  seen.add(file)
  return importsOf(file).flatMap((target) => {
    const next = resolved(file, target)
    if (next) return strangersOf(next, seen)
    return fromBundle.has(target) ? [] : [`${relative(packages, file)} loads ${target}`]
  })
}

test.each(browserSafe)('%s and everything it loads runs in a browser', (file) => {
  expect(strangersOf(join(source, file))).toEqual([])
})

test('the walk finds what only Node has, behind any number of files', () => {
  expect(strangersOf(join(source, 'tuf/publish.ts'))).toContainEqual(expect.stringContaining('loads node:crypto'))
  expect(strangersOf(join(source, 'client/refresh-authority.ts'))).toContainEqual(
    expect.stringContaining('loads tuf-js'),
  )
})

test.each(browserSafe)('%s names no buffer of Node', (file) => {
  expect(readFileSync(join(source, file), 'utf8')).not.toMatch(/\b(?:Buffer|process)\b\s*[.(]/)
})
