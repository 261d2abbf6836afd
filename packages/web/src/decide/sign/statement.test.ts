import { expect, test } from 'vitest'
import type { Case } from '../case/case-view.ts'
import { sayCommand, statementOf } from './statement.ts'

const found = { id: 'CASE-0007', releaseId: 'REL-0042', manifestSha256: 'a'.repeat(64) } as unknown as Case
const by = 'b'.repeat(64)
const at = new Date('2026-11-24T12:40:05.123Z')

test('what is signed names the case, the release and the manifest that it had then', () => {
  const no = statementOf(found, by, { kind: 'no-go', reason: 'Training is short' }, at)
  expect(no).toEqual({
    _type: 'bascule-statement',
    specVersion: 1,
    kind: 'no-go',
    by,
    at: '2026-11-24T12:40:05Z',
    release: 'REL-0042',
    manifestSha256: found.manifestSha256,
    reason: 'Training is short',
    case: 'CASE-0007',
  })
  expect(statementOf(found, by, { kind: 'defer', reason: 'After the fair', untilOn: '2026-12-01' }, at)).toEqual({
    ...no,
    kind: 'defer',
    reason: 'After the fair',
    untilOn: '2026-12-01',
  })
})

test('a reason keeps its quotes on the way into a shell', () => {
  expect(sayCommand('CASE-0007', { kind: 'defer', reason: "it's early", untilOn: '2026-12-01' })).toBe(
    `bascule case defer CASE-0007 --until 2026-12-01 --reason 'it'\\''s early'`,
  )
})
