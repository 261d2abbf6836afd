import { expect, test } from 'vitest'
import { PackageSpec } from './package-spec.ts'

const least = {
  apiVersion: 'bascule.dev/package/v1',
  name: 'esbuild',
  vendor: 'Evan Wallace',
  version: '0.28.2',
  variants: [{ id: 'any', modules: { core: 'core' } }],
  install: { type: 'tree' },
  verify: { level: 3 },
}

function problemsOf(spec: unknown): string[] {
  const outcome = PackageSpec.safeParse(spec)
  return outcome.success ? [] : outcome.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`)
}

test('the least a package says is enough; the rest has defaults', () => {
  expect(PackageSpec.parse(least)).toMatchObject({
    class: 'application',
    requires: { freeDisk: 0, rights: [], software: [] },
    rollback: { mode: 'switch' },
    uninstall: { keepData: true },
  })
})

test('sizes are read in words and in bytes', () => {
  const freeDisk = (value: unknown) => PackageSpec.parse({ ...least, requires: { freeDisk: value } }).requires.freeDisk
  expect(freeDisk('600MB')).toBe(600_000_000)
  expect(freeDisk('1.5 GiB')).toBe(1_610_612_736)
  expect(freeDisk(12)).toBe(12)
})

test('a processor has one name whatever the author calls it', () => {
  const variants = [{ id: 'any', when: { arch: ['x64', 'aarch64'] }, modules: { core: 'core' } }]
  expect(PackageSpec.parse({ ...least, variants }).variants[0]?.when.arch).toEqual(['amd64', 'arm64'])
})

const wrong: [string, object, RegExp][] = [
  ['an unknown field', { conflict: [] }, /Unrecognized key: "conflict"/],
  ['an unknown kind of installation', { install: { type: 'deb' } }, /^install.type is not a kind.*tree/],
  ['a misspelt size', { requires: { freeDisk: '600 apples' } }, /^requires.freeDisk "600 apples" is not a size/],
  ['a stray path', { verify: { level: 4, health: { run: '../x' } } }, /^verify.health.run "..\/x" leaves the folder/],
  ['a level that needs a health command', { verify: { level: 4 } }, /^verify.health is missing/],
  ['a range that is none', { conflicts: [{ name: 'a', version: '~1' }] }, /^conflicts.0.version "~1" is not a version/],
  ['no variants', { variants: [] }, /^variants /],
  ['a version with a path in it', { version: '1/2' }, /^version is not a version/],
  ['an unknown outcome', { returnCodes: { 3010: 'reboot' } }, /^returnCodes.3010 /],
]
test.each(wrong)('%s is refused with the name of the field', (_name, change, sentence) => {
  expect(problemsOf({ ...least, ...change }).join('\n')).toMatch(sentence)
})
