import { missingPlatforms, platformEntry } from '#scripts/lib/complete-lock.ts'
import { expect, test } from 'vitest'

const tool = {
  version: '2.0.0',
  dev: true,
  optionalDependencies: { '@tool/darwin-arm64': '2.0.0', '@tool/linux-x64-gnu': '2.0.0' },
}

test('a build for another platform that the lock does not know is found with its exact version', () => {
  const packages = { 'node_modules/tool': tool, 'node_modules/@tool/linux-x64-gnu': { version: '2.0.0' } }
  const missing = missingPlatforms({ packages })
  expect(missing).toEqual([
    { path: 'node_modules/@tool/darwin-arm64', name: '@tool/darwin-arm64', version: '2.0.0', dev: true },
  ])
  expect(missing.map(platformEntry)).toEqual([
    { version: '2.0.0', cpu: ['arm64'], dev: true, optional: true, os: ['darwin'] },
  ])
})

test('where another version has the place already, the build goes below the package that needs it', () => {
  const packages = {
    'node_modules/tool': tool,
    'node_modules/@tool/linux-x64-gnu': { version: '1.0.0' },
    'node_modules/@tool/darwin-arm64': { version: '1.0.0' },
  }
  expect(missingPlatforms({ packages }).map((one) => one.path)).toEqual([
    'node_modules/tool/node_modules/@tool/darwin-arm64',
    'node_modules/tool/node_modules/@tool/linux-x64-gnu',
  ])
})

test('an optional dependency that is a range is for npm to choose', () => {
  const packages = { 'node_modules/tool': { version: '2.0.0', optionalDependencies: { fsevents: '^2.3.0' } } }
  expect(missingPlatforms({ packages })).toEqual([])
})

test('a name that tells no platform is not guessed', () => {
  expect(() => platformEntry({ path: '', name: '@tool/special', version: '1.0.0', dev: false })).toThrow(
    /does not tell its platform/,
  )
})
