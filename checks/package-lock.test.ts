import { join } from 'node:path'
import { missingPlatforms } from '#scripts/lib/complete-lock.ts'
import { root } from '#scripts/lib/root.ts'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readTracked, trackedFiles } from './lib/tracked-files.ts'

type Dependencies = Record<string, string> | undefined
interface Manifest {
  dependencies: Dependencies
  devDependencies: Dependencies
  optionalDependencies: Dependencies
  allowScripts: Record<string, unknown> | undefined
}

const text = readFileSync(join(root, 'package-lock.json'), 'utf8')
const lock = JSON.parse(text) as Parameters<typeof missingPlatforms>[0]
const manifests = trackedFiles(/^(packages\/[^/]+\/)?package\.json$/)

test('every dependency is pinned to one exact version', () => {
  const loose = manifests.flatMap((path) => {
    const manifest = JSON.parse(readTracked(path)) as Manifest
    const wanted = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies }
    return Object.entries(wanted)
      .filter(([, version]) => !/^(npm:@?[^@]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
      .map(([name, version]) => `${path}: ${name} ${version}`)
  })
  expect(loose).toEqual([])
})

test('the lock file names no host', () => {
  expect(text.match(/"resolved": "(?!packages\/)[^"]*"/g) ?? []).toEqual([])
})

test('the lock file knows the builds for every platform, so that npm ci takes it everywhere (npm run lock adds them)', () => {
  expect(missingPlatforms(lock).map((one) => one.path)).toEqual([])
})

test('no dependency may run a script when it is installed', () => {
  expect((JSON.parse(readTracked('package.json')) as Manifest).allowScripts).toEqual({})
  expect(readTracked('.npmrc')).toMatch(/^ignore-scripts=true$/m)
})
