import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from '#scripts/lib/root.ts'
import { expect, test } from 'vitest'
import { readTracked, trackedFiles } from './lib/tracked-files.ts'

const pages = trackedFiles(/\.md$/)

/** Code is not prose: what stands in it is no link. */
function prose(page: string): string {
  return readTracked(page)
    .replaceAll(/```[\s\S]*?```/g, '')
    .replaceAll(/`[^`\n]*`/g, '')
}

function linksOf(page: string): string[] {
  return Array.from(prose(page).matchAll(/\[[^\]]*\]\(([^)\s]+)\)/g), ([, link]) => link ?? '')
}

/** The anchor that a heading gets: lower case, no punctuation, hyphens for spaces. */
function anchorsOf(page: string): string[] {
  return Array.from(readTracked(page).matchAll(/^#+ (.+)$/gm), ([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

function isDead(page: string, link: string): boolean {
  if (/^(https?|mailto):/.test(link)) return false
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? page : join(dirname(page), path)
  if (!existsSync(join(root, target))) return true
  return anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).includes(anchor)
}

test('no page links to something that is not there', () => {
  const dead = pages.flatMap((page) =>
    linksOf(page)
      .filter((link) => isDead(page, link))
      .map((link) => `${page}: ${link}`),
  )
  expect(dead).toEqual([])
})

/** Paths in code marks, as `packages/server/src/main.ts`; a path with <…> or * is a pattern, not a place. */
function pathsNamedIn(page: string): string[] {
  const marked = Array.from(readTracked(page).matchAll(/`([\w.@-]+(?:\/[\w.@-]*)+)`/g), ([, path]) => path ?? '')
  return marked.filter((path) => /^(packages|scripts|checks|bench|e2e|docs|\.ci)\//.test(path))
}

test('every path that the documents name exists', () => {
  const missing = pages.flatMap((page) =>
    pathsNamedIn(page)
      .filter((path) => !existsSync(join(root, path)) && !path.includes('/dist'))
      .map((path) => `${page}: ${path}`),
  )
  expect(missing).toEqual([])
})

test('the map names every package and every folder of the repository', () => {
  const map = readTracked('docs/architecture.md')
  const folders = new Set(
    trackedFiles(/\//).map((path) =>
      path
        .split('/')
        .slice(0, path.startsWith('packages/') ? 2 : 1)
        .join('/'),
    ),
  )
  const unnamed = [...folders].filter((folder) => !folder.startsWith('.') && !map.includes(`\`${folder}`))
  expect(unnamed).toEqual([])
})
