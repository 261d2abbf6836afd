import { expect, test } from 'vitest'
import { pathPatternOf, roleNameFrom, roleNameOf, targetPathFrom, targetPathText } from './names.ts'

test('a role name says what the role may list', () => {
  expect(roleNameFrom('retail.pos')).toEqual({ kind: 'line', board: 'retail', line: 'pos' })
  expect(roleNameFrom('retail.stop')).toEqual({ kind: 'stop', board: 'retail' })
  expect(roleNameFrom('retail.emergency')).toEqual({ kind: 'emergency', board: 'retail' })
  expect(roleNameFrom('retail')).toEqual({ kind: 'board', board: 'retail' })
  const role = roleNameFrom('retail.pos-lts')
  expect(role && pathPatternOf(role)).toBe('retail/pos-lts/normal/*')
})

test.each([
  '',
  '../evil',
  'Retail',
  'a.b.c',
  'a/b',
  'constructor',
  'retail.constructor',
  'a.*',
  'stop',
  'assignments',
  '-a',
  'a b',
  'a.normal',
])('%j names no role', (name) => {
  expect(roleNameFrom(name)).toBeUndefined()
})

test('a target path comes back as it was written', () => {
  const path = 'retail/pos/normal/REL-0042.json'
  const at = targetPathFrom(path)
  expect(at && targetPathText(at)).toBe(path)
  expect(at && roleNameOf(at)).toBe('retail.pos')
})

test.each([
  '',
  'retail/pos/normal/.json',
  'retail/pos/normal/a',
  'retail/pos/other/a.json',
  'retail/pos/normal/a/b.json',
  '/retail/pos/normal/a.json',
  'retail/pos/normal/...json',
  'retail/pos/normal/a..b.json',
  'retail/constructor/normal/a.json',
  'retail/pos/normal/constructor.json',
  'retail/*/normal/a.json',
  'retail/pos/normal/a b.json',
])('%j names no target', (path) => {
  expect(targetPathFrom(path)).toBeUndefined()
})
