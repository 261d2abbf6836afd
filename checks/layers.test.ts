import { expect, test } from 'vitest'
import { readTracked, trackedFiles } from './lib/tracked-files.ts'

/** Which packages each package may import. A new package starts with none. */
const allowed: Record<string, readonly string[]> = {
  domain: [],
  contract: ['domain'],
  trust: ['domain', 'contract'],
  content: ['domain', 'contract'],
  postgres: [],
  testkit: ['domain', 'contract', 'trust', 'content', 'postgres'],
  server: ['domain', 'contract', 'trust', 'content', 'postgres'],
  agent: ['domain', 'contract', 'trust', 'content'],
  cli: ['domain', 'contract', 'trust', 'content'],
  simulator: ['domain', 'contract', 'trust', 'content'],
  web: ['domain', 'contract', 'trust'],
}
const programs = new Set(['server', 'agent', 'cli', 'simulator', 'web'])

/** Wings look left: a wing may know those before it. `platform` lies under all of them and knows none. */
const wings = ['platform', 'estate', 'plan', 'prove', 'decide', 'deliver', 'support', 'learn']

/** What a caller may do is asked at the door as well; so these words of the ground floor are known under it too. */
const identityWords = /^estate\/(permission|role)\.ts$/

/** Files that only tests start: children to be killed, builders, contract suites. */
const forTests =
  /(\.test\.tsx?|\.child\.ts|\.contract\.ts|\.bench\.ts|-global-setup\.ts)$|\/(testing|test|crash|fuzz)\//

interface Import {
  readonly file: string
  readonly target: string
  /** Gone at run time. */
  readonly isType: boolean
}

const sources = trackedFiles(/^packages\/[^/]+\/.*\.(ts|tsx|mjs)$/).filter((path) => !path.includes('/dist/'))

function importsOf(file: string): Import[] {
  const found = readTracked(file).matchAll(/(import type [^'"]*?)?(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g)
  return Array.from(found, ([, type, target]) => ({ file, target: target ?? '', isType: type !== undefined }))
}

const imports = sources.flatMap(importsOf)
const packageOf = (file: string) => file.split('/')[1] ?? ''

function show({ file, target }: Import): string {
  return `${file} imports ${target}`
}

test('every package has its place among the layers', () => {
  const present = new Set(sources.map(packageOf))
  expect([...present].filter((name) => !(name in allowed))).toEqual([])
})

test('a package imports only the packages below it', () => {
  const strangers = imports.filter(({ file, target }) => {
    const wanted = /^@bascule\/([^/]+)/.exec(target)?.[1]
    if (wanted === undefined || wanted === packageOf(file)) return wanted !== undefined
    if (wanted === 'testkit') return !forTests.test(file) && packageOf(file) !== 'testkit'
    if (wanted === 'postgres' && forTests.test(file)) return false
    return !allowed[packageOf(file)]?.includes(wanted)
  })
  expect(strangers.map(show)).toEqual([])
})

test('a program exports nothing, and a library every file by its name', () => {
  for (const name of Object.keys(allowed)) {
    const { exports } = JSON.parse(readTracked(`packages/${name}/package.json`)) as { exports: unknown }
    expect(exports, `exports of ${name}`).toEqual(programs.has(name) ? {} : { './*': './src/*' })
  }
})

test('nobody climbs out of a folder by ../../', () => {
  const climbing = imports.filter(({ file, target }) => target.startsWith('../../') && !file.endsWith('.config.ts'))
  expect(climbing.map(show)).toEqual([])
})

/** The wing of a path below `src/`, or undefined for what stands beside the wings (main.ts, views, lib, ui). */
function wingOf(path: string): string | undefined {
  return wings.find((wing) => path.startsWith(`${wing}/`))
}

/** Who signs in is a person of the estate, so what the server's identity imports is judged as if it stood there. */
function floorOf(path: string): string | undefined {
  return path.startsWith('platform/identity/') ? 'estate' : wingOf(path)
}

function insideSrc(file: string, target: string): string | undefined {
  if (target.startsWith('#/')) return target.slice(2)
  if (!target.startsWith('.')) return undefined
  const here = file.split('/src/')[1]
  return here === undefined ? undefined : new URL(target, `file:///${here}`).pathname.slice(1)
}

test('wings look left, in every package that has them', () => {
  const backwards = imports.filter(({ file, target }) => {
    const to = insideSrc(file, target) ?? /^@bascule\/[^/]+\/(.*)/.exec(target)?.[1]
    const from = file.split('/src/')[1]
    if (to === undefined || from === undefined || forTests.test(file) || identityWords.test(to)) return false
    const [mine, theirs] = [floorOf(from), wingOf(to)]
    // In the web `platform` holds pages (sign-in, keys, health), not a floor that others stand on.
    if (packageOf(file) === 'web' && mine === 'platform') return false
    return mine !== undefined && theirs !== undefined && wings.indexOf(theirs) > wings.indexOf(mine)
  })
  expect(backwards.map(show)).toEqual([])
})

const serverImports = imports.filter(
  ({ file, isType }) => packageOf(file) === 'server' && !forTests.test(file) && !isType,
)

test('a wing of the server calls the services of another, never its stores', () => {
  const trespassing = serverImports.filter(({ file, target }) => {
    const from = floorOf(file.split('/src/')[1] ?? '')
    const to = insideSrc(file, target)
    return to?.endsWith('.store.ts') === true && from !== undefined && ![wingOf(to), floorOf(to)].includes(from)
  })
  expect(trespassing.map(show)).toEqual([])
})

test('the views across wings write nothing', () => {
  const views = sources.filter((file) => file.startsWith('packages/server/src/views/') && !forTests.test(file))
  const writing = views.filter((file) =>
    /\b(insertInto|updateTable|deleteFrom|mergeInto)\(|\b(insert into|update|delete from) [a-z_]+/i.test(
      readTracked(file),
    ),
  )
  expect(writing).toEqual([])
})

test('only routes and the start read the views across wings', () => {
  const readers = imports.filter(({ file, target }) => {
    const from = file.split('/src/')[1]
    if (packageOf(file) !== 'server' || from === undefined || forTests.test(file)) return false
    const isBeside = !from.includes('/') || from.startsWith('views/') || from.endsWith('.routes.ts')
    return !isBeside && insideSrc(file, target)?.startsWith('views/') === true
  })
  expect(readers.map(show)).toEqual([])
})
