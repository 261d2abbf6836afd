import { expect, test } from 'vitest'
import { diffBaselines } from './baseline.ts'
import { driftOf } from './drift.ts'

const managed = new Set(['salesdesk', 'viewer'])

test('a device that reports what the CMDB says has no drift, whatever else it runs', () => {
  expect(driftOf(new Map([['salesdesk', '12']]), { 'package.salesdesk': '12', 'package.vim': '9' }, managed)).toEqual(
    [],
  )
})

test('another version, a missing package and one that nobody installed here are drift', () => {
  const recorded = new Map([
    ['salesdesk', '12'],
    ['editor', '3'],
  ])
  expect(driftOf(recorded, { 'package.salesdesk': '11', 'package.viewer': '1' }, managed)).toEqual([
    { package: 'editor', kind: 'missing', expected: '3', found: null },
    { package: 'salesdesk', kind: 'other-version', expected: '12', found: '11' },
    { package: 'viewer', kind: 'unmanaged', expected: null, found: '1' },
  ])
})

test('a baseline against itself differs in nothing', () => {
  const content = 'a\tsalesdesk\t12\tsha256:1\nb\tsalesdesk\t12\tsha256:1'
  expect(diffBaselines(content, content)).toEqual([])
  expect(diffBaselines('', '')).toEqual([])
})

test('what came, went or changed is named, and the same version with other bytes too', () => {
  const before = 'a\tsalesdesk\t11\tsha256:1\nb\tviewer\t1\tsha256:2\nc\tsalesdesk\t12\tsha256:3'
  const after = 'a\tsalesdesk\t12\tsha256:3\nc\tsalesdesk\t12\tsha256:4\nd\tviewer\t1\tsha256:2'
  expect(diffBaselines(before, after)).toEqual([
    { device: 'a', package: 'salesdesk', before: '11', after: '12' },
    { device: 'b', package: 'viewer', before: '1', after: null },
    { device: 'c', package: 'salesdesk', before: '12 (sha256:3)', after: '12 (sha256:4)' },
    { device: 'd', package: 'viewer', before: null, after: '1' },
  ])
})
