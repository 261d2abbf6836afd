import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareVersions, isVersion, isVersionInRange, parseVersionRange } from './version.ts'

const older: [string, string][] = [
  ['0.27.2', '0.28.2'],
  ['1.0.0-rc.1', '1.0.0'],
  ['1.0.0-rc', '1.0.0-rc.1'],
  ['1.0.0-rc.2', '1.0.0-rc.10'],
  ['1.0.0-1', '1.0.0-alpha'],
  ['9', '10'],
  ['10.0.19045', '10.0.22631'],
  ['10.0.99999999999999999998', '10.0.99999999999999999999'],
  ['0.28.2', '0.28.3-bad'],
]
test.each(older)('%s is older than %s', (a, b) => {
  expect(compareVersions(a, b)).toBeLessThan(0)
  expect(compareVersions(b, a)).toBeGreaterThan(0)
})

test('missing numbers are zero and build data does not count', () => {
  expect(compareVersions('12', '12.0.0')).toBe(0)
  expect(compareVersions('1.2.3+abc', '1.2.3+def')).toBe(0)
})

const piece = fc.oneof(fc.nat(30).map(String), fc.constantFrom('a', 'rc', 'b2'))
const anyVersion = fc
  .tuple(fc.array(piece, { minLength: 1, maxLength: 4 }), fc.array(piece, { maxLength: 2 }))
  .map(([core, before]) => core.join('.') + (before.length > 0 ? `-${before.join('.')}` : ''))

test('the order of versions is total: no two contradict each other', () => {
  fc.assert(
    fc.property(anyVersion, anyVersion, anyVersion, (a, b, c) => {
      expect(Math.sign(compareVersions(a, b))).toBe(0 - Math.sign(compareVersions(b, a)))
      if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0) expect(compareVersions(a, c)).toBeLessThanOrEqual(0)
    }),
  )
})

test('a range is alternatives of bounds', () => {
  expect(isVersionInRange('10.0.19045', '>=10.0.19045 <11')).toBe(true)
  expect(isVersionInRange('11', '>=10.0.19045 <11')).toBe(false)
  expect(isVersionInRange('12', '<2 || = 12')).toBe(true)
  expect(isVersionInRange('12', '12')).toBe(true)
  expect(isVersionInRange('12.1', '12')).toBe(false)
  expect(isVersionInRange('3', '> 3')).toBe(false)
  expect(isVersionInRange('3', '<=3')).toBe(true)
})

test('what is not a range is refused with the part that is not one', () => {
  expect(parseVersionRange('>=12 ~> 4')).toEqual({ ok: false, error: '~>4' })
  expect(parseVersionRange('')).toEqual({ ok: false, error: '' })
  expect(parseVersionRange('1 ||')).toEqual({ ok: false, error: '1 ||' })
  expect(isVersion('1.0/../2')).toBe(false)
  expect(isVersion('')).toBe(false)
})
