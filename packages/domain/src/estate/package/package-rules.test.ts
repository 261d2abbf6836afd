import { expect, test } from 'vitest'
import { chooseModules } from './choose-modules.ts'
import { chooseVariant, describeNotApplicable } from './choose-variant.ts'
import { checkConflicts, checkRequirements } from './requirements.ts'
import { findStrayEntry, problemOfTreePath, resolveLink } from './tree-path.ts'

const debian = { os: 'linux', 'os.id': 'debian', 'os.version': 12, arch: 'x64' }
const forDebian = { id: 'deb12', when: { os: 'linux', id: ['debian', 'ubuntu'], version: '>=12', arch: ['amd64'] } }
const forWindows = { id: 'win10', when: { os: 'windows', version: '>=10.0.19045 <11' } }
const forAll = { id: 'any', when: {} }

test('the first variant that fits is taken, in the order of the package', () => {
  expect(chooseVariant([forWindows, forDebian, forAll], debian)).toEqual({ ok: true, value: forDebian })
  expect(chooseVariant([forAll, forDebian], debian)).toEqual({ ok: true, value: forAll })
})

test('without a fitting variant every one says why not', () => {
  const choice = chooseVariant([forWindows, { id: 'arm', when: { arch: ['aarch64'] } }], debian)
  expect(choice).toEqual({
    ok: false,
    error: {
      kind: 'not-applicable',
      misses: [
        { variant: 'win10', reason: 'needs os windows, this device has linux' },
        { variant: 'arm', reason: 'needs arch arm64, this device has amd64' },
      ],
    },
  })
  expect(choice.ok ? '' : describeNotApplicable(choice.error)).toContain(
    'win10 needs os windows, this device has linux',
  )
})

test('an unknown fact is not a yes', () => {
  const choice = chooseVariant([forDebian], { os: 'linux', 'os.id': 'debian', arch: 'amd64' })
  expect(choice).toMatchObject({
    ok: false,
    error: { misses: [{ reason: 'needs os.version >=12, which this device does not tell' }] },
  })
})

const core = { name: 'core', roles: ['*'], default: true }
const tools = { name: 'tools', roles: ['builder'], default: false }
const reports = { name: 'reports', roles: ['sales'], default: true }

test('modules follow the roles of the device', () => {
  expect(chooseModules([core, tools], ['builder'])).toEqual([core, tools])
  expect(chooseModules([core, tools], ['sales'])).toEqual([core])
  expect(chooseModules([core, tools, reports], [])).toEqual([core, reports])
})

test('a release may give a module to other roles', () => {
  const override = [{ name: 'tools', roles: ['sales'] }]
  expect(chooseModules([core, tools], ['sales'], override)).toEqual([core, tools])
  expect(chooseModules([core, tools], ['builder'], override)).toEqual([core])
  expect(chooseModules([core, reports], [], [{ name: 'reports', roles: ['sales'] }])).toEqual([core])
})

const requires = {
  freeDiskBytes: 600,
  rights: ['admin'],
  software: [{ name: 'jre', version: '>=17', onMissing: 'wait' as const }],
}

test('what is missing is told with its numbers', () => {
  expect(checkRequirements(requires, { 'disk.free.bytes': 10, 'package.jre': '11.0.2' })).toEqual([
    { kind: 'disk', needBytes: 600, haveBytes: 10 },
    { kind: 'right-missing', right: 'admin' },
    { kind: 'software-missing', name: 'jre', range: '>=17', found: '11.0.2', onMissing: 'wait' },
  ])
  const fine = { 'disk.free.bytes': 600, 'right.admin': true, 'package.jre': '17' }
  expect(checkRequirements(requires, fine)).toEqual([])
  expect(checkRequirements(requires, { ...fine, 'disk.free.bytes': 'plenty' })).toHaveLength(1)
})

test('a conflict counts only in its range', () => {
  const conflicts = [{ name: 'oldcrm', version: '<9' }, { name: 'rival' }]
  expect(checkConflicts(conflicts, { 'package.oldcrm': '8.9', 'package.rival': '1' })).toEqual([
    { kind: 'conflict', name: 'oldcrm', range: '<9', found: '8.9' },
    { kind: 'conflict', name: 'rival', range: undefined, found: '1' },
  ])
  expect(checkConflicts(conflicts, { 'package.oldcrm': '9' })).toEqual([])
})

const strayPaths = ['', '/etc/passwd', 'C:/x', '../x', 'a/../../x', 'a/..', 'a//b', './a', 'a/', 'a\\b', 'a\nb', 'a\0']
test.each(strayPaths)('%j cannot be a file of a package', (path) => {
  expect(problemOfTreePath(path)).toBeTypeOf('string')
})

test('ordinary names are fine', () => {
  for (const path of ['bin/esbuild', 'a', '..a/b..', 'Ünïcode/文件', '.hidden']) {
    expect(problemOfTreePath(path)).toBeUndefined()
  }
})

test('a link is followed inside the tree and nowhere else', () => {
  expect(resolveLink('bin/tool', 'esbuild')).toBe('bin/esbuild')
  expect(resolveLink('bin/tool', '../lib/tool')).toBe('lib/tool')
  expect(resolveLink('tool', '..')).toBeUndefined()
  expect(resolveLink('bin/tool', '../../etc/passwd')).toBeUndefined()
  expect(resolveLink('bin/tool', '/etc/passwd')).toBeUndefined()
  expect(resolveLink('n', 'p/link/../x')).toBeUndefined()
})

test('nothing lies below a file or a link, and the record of the device stays its own', () => {
  expect(findStrayEntry(['a/b/c', 'a/b-c', 'a/bc/d', 'ab'])).toBeUndefined()
  expect(findStrayEntry(['a/b/c', 'a/b'])).toEqual({
    path: 'a/b/c',
    problem: 'lies below a/b, which is a file or a link',
  })
  expect(findStrayEntry(['x/y/z', 'x'])?.path).toBe('x/y/z')
  expect(findStrayEntry(['bin/tool', '.bascule.json'])?.path).toBe('.bascule.json')
  expect(findStrayEntry(['share/.bascule.json'])).toBeUndefined()
})
